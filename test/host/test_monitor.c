/*
 * The monitor: lines typed on its inputs, the commands they run, and what is said, taken from the log's consoles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/log.h"
#include "kernel/monitor/monitor.h"

/* ---- the console that listens, and the devices that are typed on ---- */

static char said[8192];
static size_t said_size;

static void console_write(const char *text, size_t size)
{
	assert_true(said_size + size < sizeof(said));
	memcpy(said + said_size, text, size);
	said[said_size += size] = '\0';
}

static struct log_sink console = { .write = console_write };

static const char *typed[2];

static int read_typed(int device)
{
	if (!typed[device] || *typed[device] == '\0')
		return -1;
	return (uint8_t)*typed[device]++;
}

static int read_first(void)
{
	return read_typed(0);
}

static int read_second(void)
{
	return read_typed(1);
}

static struct monitor_input inputs[] = { { .read = read_first }, { .read = read_second } };

static void poll_all(void)
{
	said_size = 0;
	said[0] = '\0';
	while (monitor_poll())
		;
}

/* Typing `line` on the first device makes the monitor say exactly `expected` before its next prompt. */
static void expect_answer(const char *line, const char *expected)
{
	char text[8192];
	size_t size = 0;

	typed[0] = line;
	poll_all();
	/* The echo, the new line, the answer, the prompt. */
	for (const char *c = line; *c != '\r'; c++)
		text[size++] = *c;
	text[size++] = '\n';
	strcpy(text + size, expected);
	strcat(text, "anke> ");
	assert_string_equal(said, text);
}

/* ---- commands ---- */

static int last_argc;
static char last_argv[MONITOR_ARGUMENTS][32];

static void run_record(int argc, char **argv)
{
	last_argc = argc;
	for (int i = 0; i < argc; i++)
		strcpy(last_argv[i], argv[i]);
	assert_null(argv[argc]);
	say("recorded %d\n", argc);
}

static void run_usage(int argc, char **argv)
{
	(void)argc;
	monitor_usage(argv[0]);
}

static struct monitor_command commands[] = {
	{ .name = "walk", .arguments = "ADDR", .help = "show the entries that lead to ADDR", .run = run_usage },
	{ .name = "audit", .arguments = "", .help = "check the tables", .run = run_record },
	{ .name = "map", .arguments = "[FROM [TO]]", .help = "show what is mapped", .run = run_record },
};

static int start(void **state)
{
	(void)state;
	log_add_sink(&console, LOG_NO_REPLAY);
	for (int i = 0; i < 3; i++)
		monitor_add(&commands[i]);
	for (int i = 0; i < 2; i++)
		monitor_add_input(&inputs[i]);
	monitor_start();
	assert_string_equal(said, "anke> ");
	return 0;
}

static void commands_run_with_their_words(void **state)
{
	(void)state;
	expect_answer("map\r", "recorded 1\n");
	expect_answer("map 0x1000  0x2000 \r", "recorded 3\n");
	assert_string_equal(last_argv[0], "map");
	assert_string_equal(last_argv[1], "0x1000");
	assert_string_equal(last_argv[2], "0x2000");
	expect_answer("   audit\r", "recorded 1\n");
	assert_string_equal(last_argv[0], "audit");
	expect_answer("map 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\r", "recorded 16\n");
	assert_string_equal(last_argv[15], "16");
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	last_argc = 0;
	expect_answer("\r", "");
	expect_answer("    \r", "");
	expect_answer("mapp\r", "mapp: no such command; `help` lists them\n");
	expect_answer("ma 1\r", "ma: no such command; `help` lists them\n");
	expect_answer("map 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\r", "more than 16 words\n");
	expect_answer("walk\r", "usage: walk ADDR\n");
	assert_int_equal(last_argc, 0);
}

static void help_lists_all_in_order(void **state)
{
	(void)state;
	expect_answer("help\r", "  audit            check the tables\n"
				"  help [COMMAND]   list the commands\n"
				"  log              show the kernel's messages since boot, as far as they are kept\n"
				"  map [FROM [TO]]  show what is mapped\n"
				"  walk ADDR        show the entries that lead to ADDR\n");
	expect_answer("help walk\r", "  walk ADDR  show the entries that lead to ADDR\n");
	expect_answer("help nothing\r", "nothing: no such command\n");
}

static void log_shows_what_was_kept(void **state)
{
	(void)state;
	log_set_console_level(0);
	log_info("frames: 1234 free\n");
	log_debug("a detail\n");
	typed[0] = "log\r";
	poll_all();
	assert_non_null(strstr(said, "frames: 1234 free\n"));
	assert_non_null(strstr(said, "a detail\n"));
}

static void any_device_types_on_the_line(void **state)
{
	(void)state;
	typed[1] = "au";
	poll_all();
	typed[0] = "dit\r";
	poll_all();
	assert_string_equal(said, "dit\nrecorded 1\nanke> ");
	assert_false(monitor_poll());
	/* A cancelled line runs nothing. */
	typed[1] = "audit\003";
	poll_all();
	assert_string_equal(said, "audit^C\nanke> ");
}

static void a_flood_on_one_device_does_not_lock_out_the_other(void **state)
{
	static char flood[10000];

	(void)state;
	memset(flood, 'x', sizeof(flood) - 1);
	typed[1] = flood;
	typed[0] = "\003map\r";
	last_argc = 0;
	monitor_poll();
	assert_true(*typed[0] == '\0' && *typed[1] != '\0');
	typed[1] = "\003";
	poll_all();
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{ "0", 0 },
		{ "10", 10 },
		{ "007", 7 },
		{ "0x10", 16 },
		{ "0XfFfF_ffff_8000_0000", 0xffffffff80000000 },
		{ "0o777", 0777 },
		{ "0b1010_1010", 0xaa },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
	};
	static const char *const bad[] = {
		"",
		" ",
		"-1",
		"+1",
		"x",
		"0x",
		"0xg",
		"12a",
		"0b2",
		"0o8",
		"1__0",
		"_1",
		"1_",
		"0x_1",
		" 1",
		"1 ",
		"18446744073709551616",
		"0x10000000000000000",
		"99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t value = ~good[i].value;

		assert_true(monitor_number(good[i].text, &value));
		assert_int_equal(value, good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t value = 42;

		assert_false(monitor_number(bad[i], &value));
		assert_int_equal(value, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_run_with_their_words),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_lists_all_in_order),
		cmocka_unit_test(log_shows_what_was_kept),
		cmocka_unit_test(any_device_types_on_the_line),
		cmocka_unit_test(a_flood_on_one_device_does_not_lock_out_the_other),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
