/*
 * The log: levels, consoles that come and see what was said before, the ring when it is full, messages that are too
 * long, and messages in the middle of others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/log.h"

#define RING LOG_TEXT

static char heard[2][4 * RING];
static size_t heard_size[2];

static void hear(int console, const char *text, size_t size)
{
	assert_true(heard_size[console] + size < sizeof(heard[console]));
	memcpy(heard[console] + heard_size[console], text, size);
	heard_size[console] += size;
	heard[console][heard_size[console]] = '\0';
}

static void hear_first(const char *text, size_t size)
{
	hear(0, text, size);
}

static void hear_second(const char *text, size_t size)
{
	hear(1, text, size);
}

static struct log_sink first = { .write = hear_first };
static struct log_sink second = { .write = hear_second };

static void expect_heard(int console, const char *text)
{
	assert_string_equal(heard[console], text);
	heard_size[console] = 0;
	heard[console][0] = '\0';
}

static void expect_ring(const char *text)
{
	log_read(hear_first);
	expect_heard(0, text);
}

/* First of all: the ring starts empty, and there is no console. */
static void what_was_said_early_is_replayed(void **state)
{
	(void)state;
	expect_ring("");
	log_info("one\n");
	log_debug("two\n");
	expect_ring("one\ntwo\n");
	log_add_sink(&first, LOG_REPLAY);
	expect_heard(0, "one\ntwo\n");
	log_add_sink(&second, LOG_NO_REPLAY);
	expect_heard(1, "");
}

static void a_console_is_added_once(void **state)
{
	(void)state;
	log_add_sink(&first, LOG_REPLAY);
	log_add_sink(&second, LOG_REPLAY);
	expect_heard(0, "");
	log_warn("%s %d\n", "three", 3);
	expect_heard(0, "three 3\n");
	expect_heard(1, "three 3\n");
}

static void the_level_silences_consoles_alone(void **state)
{
	static const char *const names[] = { "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug" };
	char expected[128], all[128] = "";

	(void)state;
	for (int level = -1; level <= 9; level++) {
		expected[0] = all[0] = '\0';
		log_set_console_level(level);
		for (int i = LOG_EMERG; i <= LOG_DEBUG; i++) {
			log_at((enum log_level)i, "%s\n", names[i]);
			strcat(strcat(all, names[i]), "\n");
			if (i < level)
				strcat(strcat(expected, names[i]), "\n");
		}
		expect_heard(0, expected);
		expect_heard(1, expected);
	}
	log_read(hear_first);
	assert_string_equal(heard[0] + heard_size[0] - strlen(all), all);
	expect_heard(0, heard[0]);
	log_set_console_level(7);
}

/* A task's name, a path: no terminal obeys them, and no line begins inside. */
static void strings_are_text(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "plain\tname", "plain\tname" },
		{ "\033[8m", "\\x1b[8m" },
		{ "a\n<0>b\r", "a\\x0a<0>b\\x0d" },
		{ "\177\x01", "\\x7f\\x01" },
		{ "caf\xc3\xa9 \xe2\x82\xac", "caf\xc3\xa9 \xe2\x82\xac" },
		{ "\xc2\x9b", "\\xc2\\x9b" },          /* C1's CSI */
		{ "\x9b\xe2\x82", "\\x9b\\xe2\\x82" }, /* a continuation, and a character cut off */
		{ "\xc0\x8a", "\\xc0\\x8a" },          /* an overlong '\n' */
	};
	char expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(expected, sizeof(expected), "(%s)\n", cases[i].shown);
		log_info("(%s)\n", cases[i].text);
		expect_heard(0, expected);
		expect_heard(1, expected);
		say("(%s)\n", cases[i].text);
		expect_heard(0, expected);
		expect_heard(1, expected);
	}
	log_info("%c%-12s|%.3s|%9s|\n", '\033', "\033[m", "\033\033xyz", "\n");
	expect_heard(0, "\\x1b\\x1b[m      |\\x1b\\x1bx|     \\x0a|\n");
	expect_heard(1, heard[1]);
	log_formatted(LOG_INFO, "two\nlines\n", 10);
	expect_heard(0, "two\nlines\n");
	expect_heard(1, heard[1]);
}

/* One write is one record, and one line on the consoles, whatever is in it. */
static void a_programs_message_is_one_line(void **state)
{
	static const char text[] = "a\n<0>forged\033[2J\\\n";
	struct log_record record;
	uint64_t seq = log_end();

	(void)state;
	log_write(LOG_USER | LOG_WARN, text, sizeof(text) - 1);
	expect_heard(0, "a\\x0a<0>forged\\x1b[2J\\x5c\n");
	expect_heard(1, heard[1]);
	assert_int_equal(log_end(), seq + 1);
	assert_true(log_get(seq, &record));
	assert_int_equal(record.size, strlen("a\\x0a<0>forged\\x1b[2J\\x5c"));
	log_write(LOG_USER | LOG_WARN, "", 0);
	expect_heard(0, "\n");
	expect_heard(1, heard[1]);
	assert_int_equal(log_end(), seq + 2);
}

static void saying_passes_the_ring(void **state)
{
	static char before[2 * RING];

	(void)state;
	log_read(hear_first);
	strcpy(before, heard[0]);
	expect_heard(0, before);
	log_set_console_level(0);
	say("%d%%\n", 50);
	say_text("raw", 3);
	log_set_console_level(7);
	expect_heard(0, "50%\nraw");
	expect_heard(1, "50%\nraw");
	expect_ring(before);
}

/* Cut between characters, ended with a line, 255 bytes at the most; what fits is left alone. */
static void long_messages_are_cut(void **state)
{
	char text[400];

	(void)state;
	for (size_t size = 200; size < sizeof(text); size++)
		for (size_t ascii = 0; ascii < 3; ascii++) {
			/* Characters of three bytes, at any distance from the end. */
			memset(text, 'a', ascii);
			for (size_t i = ascii; i < size; i += 3)
				memcpy(text + i, size - i < 3 ? "bb" : "€", size - i < 3 ? size - i : 3);
			text[size] = '\0';
			say("%s", text);
			if (size < 256) {
				expect_heard(0, text);
			} else {
				size_t kept = heard_size[0] - strlen("…\n");

				assert_in_range(heard_size[0], 250, 255);
				assert_memory_equal(heard[0], text, kept);
				assert_int_equal((kept - ascii) % 3, 0);
				assert_string_equal(heard[0] + kept, "…\n");
				expect_heard(0, heard[0]);
			}
			expect_heard(1, heard[1]);
		}
}

/* The last LOG_TEXT bytes or LOG_LINES lines, whole lines only. */
static void a_full_ring_forgets_the_oldest(void **state)
{
	static char said[8 * RING];
	/* Short lines run out of records first, long ones of text. */
	static const int widths[] = { 4, 300 };

	(void)state;
	log_set_console_level(0);
	for (size_t w = 0; w < 2; w++) {
		size_t size = 0;

		for (int i = 0; i < 3000; i++) {
			char line[256];
			int length = snprintf(line, sizeof(line), "line %d%*s\n", i, i % 7 + widths[w] % 200, "");
			uint64_t kept;

			log_formatted(LOG_INFO, line, (size_t)length);
			memcpy(said + size, line, (size_t)length);
			size += (size_t)length;
			if (size + 256 > sizeof(said)) {
				memmove(said, said + size - 2 * RING, 2 * RING);
				size = 2 * RING;
			}
			if (i < 2000 || i % 16)
				continue;
			log_read(hear_first);
			kept = log_end() - log_first();
			assert_true(kept == LOG_LINES || heard_size[0] + kept > RING - 256);
			assert_true(kept <= LOG_LINES && heard_size[0] - kept <= RING);
			assert_memory_equal(heard[0], "line ", 5);
			assert_memory_equal(heard[0], said + size - heard_size[0], heard_size[0]);
			expect_heard(0, heard[0]);
		}
	}
	log_set_console_level(7);
}

/* ---- records ---- */

static uint64_t now, guards;

static uint64_t host_stamp(void)
{
	assert_true(guards > 0);
	return now;
}

static uint64_t host_ns(uint64_t stamp)
{
	return 1000 * stamp;
}

static uint64_t host_enter(void)
{
	return guards++;
}

static void host_leave(uint64_t token)
{
	assert_int_equal(--guards, token);
}

static const struct log_host test_host = { host_stamp, host_ns, host_enter, host_leave };
static int records_added;

static void count_record(void)
{
	assert_int_equal(guards, 0);
	records_added++;
}

static void expect_record(uint64_t seq, unsigned priority, uint64_t ns, const char *text)
{
	struct log_record record;

	assert_true(log_get(seq, &record));
	assert_int_equal(record.seq, seq);
	assert_int_equal(record.priority, priority);
	assert_int_equal(record.ns, ns);
	assert_int_equal(record.size, strlen(text));
	assert_memory_equal(record.text, text, record.size);
}

/* A line said in pieces is one record, of the time when it began; nobody sees it before its end. */
static void records_are_lines(void **state)
{
	struct log_record record;
	uint64_t seq;

	(void)state;
	log_info("\n");
	log_set_console_level(0);
	log_set_host(&test_host);
	log_set_listener(count_record);
	seq = log_end();
	now = 5;
	log_info("one ");
	assert_int_equal(log_end(), seq);
	assert_false(log_get(seq, &record));
	now = 6;
	log_info("line\ntwo\n\nopen");
	expect_record(seq, LOG_INFO, 5000, "one line");
	expect_record(seq + 1, LOG_INFO, 6000, "two");
	expect_record(seq + 2, LOG_INFO, 6000, "");
	assert_int_equal(log_end(), seq + 3);
	now = 7;
	log_err("another level\n");
	expect_record(seq + 3, LOG_INFO, 6000, "open");
	expect_record(seq + 4, LOG_ERR, 7000, "another level");
	log_write(3 << 3 | LOG_DEBUG, "a daemon", 8);
	expect_record(seq + 5, 3 << 3 | LOG_DEBUG, 7000, "a daemon");
	assert_int_equal(log_end(), seq + 6);
	assert_false(log_get(seq + 6, &record));
	assert_false(log_get(UINT64_MAX, &record));
	assert_true(records_added >= 5);
	log_set_listener(NULL);
	log_set_host(NULL);
	log_set_console_level(7);
}

static void long_lines_are_split(void **state)
{
	static char text[3 * LOG_LINE_MOST];
	uint64_t seq = log_end();
	struct log_record record;

	(void)state;
	memset(text, 'x', sizeof(text));
	log_set_console_level(0);
	log_write(LOG_INFO, text, sizeof(text) - 1);
	for (int i = 0; i < 3; i++) {
		assert_true(log_get(seq + (uint64_t)i, &record));
		assert_int_equal(record.size, i < 2 ? LOG_LINE_MOST : LOG_LINE_MOST - 1);
	}
	assert_int_equal(log_end(), seq + 3);
	log_set_console_level(7);
}

static bool interrupting;

static void interrupt(const char *text, size_t size)
{
	(void)text;
	(void)size;
	if (!interrupting)
		return;
	interrupting = false;
	log_err("trap\n");
	interrupting = true;
}

/* A console that logs itself stands for an exception in the middle of a message. */
static void a_message_inside_a_message(void **state)
{
	static struct log_sink third = { .write = interrupt };

	(void)state;
	log_info("\n");
	log_add_sink(&third, LOG_NO_REPLAY);
	expect_heard(0, heard[0]);
	expect_heard(1, heard[1]);
	interrupting = true;
	log_info("outer\n");
	interrupting = false;
	/* The newest console comes first, so the inner message overtakes on the others. */
	expect_heard(0, "trap\nouter\n");
	expect_heard(1, "trap\nouter\n");
	log_read(hear_first);
	assert_string_equal(heard[0] + heard_size[0] - 11, "outer\ntrap\n");
}

/* The last of all: there is no way to turn times off. */
static void times_on_the_console(void **state)
{
	(void)state;
	expect_heard(0, heard[0]);
	log_set_host(&test_host);
	guards = 1;
	now = 12345678;
	log_show_times();
	log_info("a ");
	log_info("b\nc\n");
	expect_heard(0, "[   12.345678] a b\n[   12.345678] c\n");
	guards = 0;
	log_set_host(NULL);
}

int main(void)
{
	/* In this order: the log is one, and remembers. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_early_is_replayed),
		cmocka_unit_test(a_console_is_added_once),
		cmocka_unit_test(the_level_silences_consoles_alone),
		cmocka_unit_test(saying_passes_the_ring),
		cmocka_unit_test(strings_are_text),
		cmocka_unit_test(a_programs_message_is_one_line),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(a_full_ring_forgets_the_oldest),
		cmocka_unit_test(records_are_lines),
		cmocka_unit_test(long_lines_are_split),
		cmocka_unit_test(a_message_inside_a_message),
		cmocka_unit_test(times_on_the_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
