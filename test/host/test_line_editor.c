/*
 * The line editor, byte by byte, with the text console as its terminal: what the user then sees is read from pixels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/monitor/line_editor.h"
#include "test/host/screen_model.h"

#define UP     "\033[A"
#define DOWN   "\033[B"
#define RIGHT  "\033[C"
#define LEFT   "\033[D"
#define HOME   "\033[H"
#define END    "\033OF"
#define DELETE "\033[3~"

static struct screen screen;
static struct line_editor editor;
static char echoed[8192];
static size_t echoed_size;
static size_t ready, cancelled;

static void terminal_write(const char *text, size_t size)
{
	assert_true(echoed_size + size < sizeof(echoed));
	memcpy(echoed + echoed_size, text, size);
	echoed_size += size;
	text_console_write(&screen.console, text, size);
}

static int begin(void **state)
{
	(void)state;
	assert_int_equal(screen_open(&screen, screen_info(80 * 8, 6 * 16, 80 * 8 * 4)), OK);
	editor = (struct line_editor){ .prompt = "> ", .write = terminal_write };
	ready = cancelled = echoed_size = 0;
	line_begin(&editor);
	return 0;
}

static int end(void **state)
{
	(void)state;
	screen_close(&screen);
	return 0;
}

/* Type, beginning a new line wherever one ends. Returns the last complete line. */
static const char *type(const char *bytes)
{
	static char line[LINE_SIZE];

	for (; *bytes != '\0'; bytes++) {
		enum line_event event = line_feed(&editor, *bytes);

		assert_true(editor.cursor <= editor.length && editor.length < LINE_SIZE);
		assert_int_equal(strlen(editor.line), editor.length);
		if (event == LINE_EDITING)
			continue;
		ready += event == LINE_READY;
		cancelled += event == LINE_CANCELLED;
		memcpy(line, editor.line, sizeof(line));
		line_begin(&editor);
	}
	return line;
}

/* The last row with text, and where on it the cursor is. */
static void expect_shown(const char *text, uint32_t cursor)
{
	assert_string_equal(screen_row(&screen, screen.console.at.row), text);
	assert_int_equal(screen.console.at.column, cursor);
}

static void plain_typing_is_echoed_byte_for_byte(void **state)
{
	(void)state;
	assert_string_equal(type("walk 0x1000\r"), "walk 0x1000");
	echoed[echoed_size] = '\0';
	assert_string_equal(echoed, "> walk 0x1000\n> ");
	expect_shown(">", 2);
	assert_int_equal(ready, 1);
}

static void moving_and_inserting(void **state)
{
	(void)state;
	type("bd" LEFT "c" HOME "a" END "e");
	expect_shown("> abcde", 7);
	type("\x01" RIGHT RIGHT LEFT);
	expect_shown("> abcde", 3);
	type("\x05" RIGHT LEFT LEFT LEFT LEFT LEFT LEFT LEFT);
	expect_shown("> abcde", 2);
	type("\033[4~f\033[1~_\033[8~g\033[7~-");
	expect_shown("> -_abcdefg", 3);
	assert_string_equal(type("\n"), "-_abcdefg");
}

static void deleting(void **state)
{
	(void)state;
	type("abcdef\x7f\b");
	expect_shown("> abcd", 6);
	type(LEFT LEFT "\x7f");
	expect_shown("> acd", 3);
	type(DELETE);
	expect_shown("> ad", 3);
	type("\x05" DELETE "xyz" LEFT "\x15");
	expect_shown("> z", 2);
	type("\177pqrs" LEFT LEFT "\x0b");
	expect_shown("> pq", 4);
	type("\x0b\x01\x15");
	expect_shown("> pq", 2);
	type("\x0b");
	expect_shown(">", 2);
	type("\x7f\b" DELETE "\x0b\x15");
	assert_string_equal(type("\r"), "");
}

static void enter_in_all_its_forms(void **state)
{
	(void)state;
	type("a\rb\nc\r\nd\n\r\n");
	assert_int_equal(ready, 5);
	type("e\033\rf\033[\rg\033[1;\r");
	assert_int_equal(ready, 8);
	assert_string_equal(type("h\r"), "h");
}

static void giving_up(void **state)
{
	(void)state;
	type("reboot\x03");
	assert_int_equal(cancelled, 1);
	assert_int_equal(ready, 0);
	assert_string_equal(screen_row(&screen, 0), "> reboot^C");
	expect_shown(">", 2);
	assert_string_equal(type(UP "x\r"), "x");
}

static void history(void **state)
{
	(void)state;
	type("one\rtwo\r\rtwo\rthree\r");
	type("draft" UP);
	expect_shown("> three", 7);
	type(UP);
	expect_shown("> two", 5);
	type(UP);
	expect_shown("> one", 5);
	type(UP UP);
	expect_shown("> one", 5);
	type(DOWN DOWN DOWN);
	expect_shown("> draft", 7);
	type(DOWN);
	expect_shown("> draft", 7);
	assert_string_equal(type(UP UP "!\r"), "two!");
	assert_string_equal(type(UP UP UP "\r"), "two");
	assert_string_equal(type(UP UP "\r"), "two!");
}

static void history_is_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\r", i);
		type(line);
	}
	for (int i = 0; i < 30; i++)
		type(UP);
	expect_shown("> line 12", 9);
	for (int i = 0; i < 7; i++)
		type(DOWN);
	expect_shown("> line 19", 9);
	type(DOWN);
	expect_shown(">", 2);
}

static void long_lines_slide(void **state)
{
	char line[LINE_SIZE + 64], shown[LINE_SIZE];

	(void)state;
	for (int i = 0; i < LINE_SIZE + 60; i++)
		line[i] = 'a' + i % 26;
	line[LINE_SIZE + 60] = '\0';
	type(line);
	assert_int_equal(editor.length, LINE_SIZE - 1);
	snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN, line + LINE_SIZE - 1 - LINE_SHOWN);
	expect_shown(shown, 2 + LINE_SHOWN);
	type(HOME);
	snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN, line);
	expect_shown(shown, 2);
	type(DELETE DELETE);
	snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN, line + 2);
	expect_shown(shown, 2);
	type(END);
	snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN, line + LINE_SIZE - 1 - LINE_SHOWN);
	expect_shown(shown, 2 + LINE_SHOWN);
	for (int i = 0; i < 3; i++)
		type("\x7f");
	snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN - 3, line + LINE_SIZE - 1 - LINE_SHOWN);
	expect_shown(shown, 2 + LINE_SHOWN - 3);
	line[LINE_SIZE - 4] = '\0';
	assert_string_equal(type("\r"), line + 2);
}

static void clear_screen(void **state)
{
	(void)state;
	type("one\rtwo\rthree" LEFT "\x0c");
	assert_int_equal(screen.console.at.row, 0);
	expect_shown("> three", 6);
	assert_string_equal(screen_row(&screen, 1), "");
}

static void keys_without_meaning_do_nothing(void **state)
{
	(void)state;
	type("ab\t\x02\x1d\x1f\033[5~\033[15~\033[65~\033[999~\033x\033[1;5Q\303\251\377c");
	expect_shown("> abc", 5);
	type("\033[1;5D-"); /* Ctrl-Left, as Left */
	expect_shown("> ab-c", 5);
	type("\033[\x01+"); /* a control character ends a sequence and keeps its meaning */
	expect_shown("> +ab-c", 3);
}

/* The screen always shows the line as the editor has it, whatever is typed. */
static void random_typing(void **state)
{
	static const char *const keys[] = { UP,     DOWN,   LEFT,        LEFT,   RIGHT,  HOME,   END,
					    DELETE, "\x7f", "\x0b",      "\x15", "\r",   "\x03", "a",
					    "b",    "c ",   "defghijkl", "\xff", "\033", "[",    "mnopqrstuvwxyz" };
	unsigned int seed = 99;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		char shown[LINE_SIZE + 2];
		size_t length;

		type(keys[rand_r(&seed) % (sizeof(keys) / sizeof(keys[0]))]);
		echoed_size = 0;
		length = snprintf(shown, sizeof(shown), "> %.*s", LINE_SHOWN, editor.line + editor.first);
		while (shown[length - 1] == ' ')
			shown[--length] = '\0';
		expect_shown(shown, 2 + editor.cursor - editor.first);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_typing_is_echoed_byte_for_byte),
		TEST(moving_and_inserting),
		TEST(deleting),
		TEST(enter_in_all_its_forms),
		TEST(giving_up),
		TEST(history),
		TEST(history_is_bounded),
		TEST(long_lines_slide),
		TEST(clear_screen),
		TEST(keys_without_meaning_do_nothing),
		TEST(random_typing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
