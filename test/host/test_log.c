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

#define RING 16384

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

static void saying_passes_the_ring(void **state)
{
	char before[2 * RING];

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
				memcpy(text + i, "€", size - i < 3 ? size - i : 3);
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

/* The last 16 KiB, from the first whole line on. */
static void a_full_ring_forgets_the_oldest(void **state)
{
	char said[4 * RING];
	size_t size = 0;

	(void)state;
	log_set_console_level(0);
	for (int i = 0; i < 3000; i++) {
		int line = snprintf(said + size, sizeof(said) - size, "line %d%*s\n", i, i % 7, "");

		log_at(LOG_INFO, "%s", said + size);
		size += (size_t)line;
		if (size + 64 > sizeof(said)) {
			memmove(said, said + 2 * RING, size - 2 * RING);
			size -= 2 * RING;
		}
		if (i < 2500)
			continue;
		log_read(hear_first);
		/* A line more would not be whole. */
		assert_true(heard_size[0] <= RING && heard_size[0] > RING - 32);
		assert_memory_equal(heard[0], "line ", 5);
		assert_memory_equal(heard[0], said + size - heard_size[0], heard_size[0]);
		expect_heard(0, heard[0]);
	}
	log_set_console_level(7);
}

/* Nothing but text without an end of line: there is no whole line to show. */
static void a_ring_without_lines_is_empty(void **state)
{
	(void)state;
	log_set_console_level(0);
	for (int i = 0; i < RING / 8 + 1; i++)
		log_info("%s", "........");
	expect_ring("");
	log_info("\nlast\n");
	expect_ring("last\n");
	log_set_console_level(7);
}

static void interrupt(const char *text, size_t size)
{
	static bool inside;

	(void)text;
	(void)size;
	if (inside)
		return;
	inside = true;
	log_err("trap\n");
	inside = false;
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
	log_info("outer\n");
	/* The newest console comes first, so the inner message overtakes on the others. */
	expect_heard(0, "trap\nouter\n");
	expect_heard(1, "trap\nouter\n");
	log_read(hear_first);
	assert_string_equal(heard[0] + heard_size[0] - 11, "outer\ntrap\n");
}

int main(void)
{
	/* In this order: the log is one, and remembers. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_said_early_is_replayed),
		cmocka_unit_test(a_console_is_added_once),
		cmocka_unit_test(the_level_silences_consoles_alone),
		cmocka_unit_test(saying_passes_the_ring),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(a_full_ring_forgets_the_oldest),
		cmocka_unit_test(a_ring_without_lines_is_empty),
		cmocka_unit_test(a_message_inside_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
