/*
 * Panic: the handler gets the message as it was given; without one it is said, once, and that is the end.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

static jmp_buf way_out;
static char message[256];

static void keep_message(const char *format, va_list args)
{
	format_v(message, sizeof(message), format, args);
	longjmp(way_out, 1);
}

static void the_handler_gets_the_message(void **state)
{
	(void)state;
	panic_set_handler(keep_message);
	if (!setjmp(way_out))
		panic("frame %#lx freed %s", 0x1234UL, "twice");
	assert_string_equal(message, "frame 0x1234 freed twice");
}

static void an_assertion_says_what_and_where(void **state)
{
	int line;

	(void)state;
	panic_set_handler(keep_message);
	ASSERT(1 + 1 == 2);
	line = __LINE__ + 2;
	if (!setjmp(way_out))
		ASSERT(1 + 1 == 3);
	assert_non_null(strstr(message, "assertion failed: 1 + 1 == 3 ("));
	assert_non_null(strstr(message, "test/host/test_panic.c:"));
	assert_int_equal(strtol(strrchr(message, ':') + 1, NULL, 10), line);
}

/* ---- in a child: there is no way back ---- */

static int said_to;

static void write_out(const char *text, size_t size)
{
	if (write(said_to, text, size) != (ssize_t)size)
		_exit(1);
}

static void write_and_panic(const char *text, size_t size)
{
	write_out(text, size);
	panic("the console is broken too");
}

/* What a child that panics says, through a console that writes with `write`. It must go on until an alarm ends it. */
static void expect_last_words(void (*write_text)(const char *text, size_t size), const char *expected)
{
	struct log_sink sink = { .write = write_text };
	char said[512] = "";
	size_t size = 0;
	int ends[2], status;
	ssize_t got;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		said_to = ends[1];
		signal(SIGALRM, SIG_DFL);
		ualarm(100000, 0);
		log_add_sink(&sink, LOG_NO_REPLAY);
		panic_set_handler(NULL);
		panic("no way %s", "on");
	}
	close(ends[1]);
	while ((got = read(ends[0], said + size, sizeof(said) - 1 - size)) > 0)
		size += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGALRM);
	assert_string_equal(said, expected);
}

static void without_a_handler_it_is_said(void **state)
{
	(void)state;
	expect_last_words(write_out, "panic: no way on\n");
}

static void a_panic_inside_is_silent(void **state)
{
	(void)state;
	expect_last_words(write_and_panic, "panic: no way on\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_handler_gets_the_message),
		cmocka_unit_test(an_assertion_says_what_and_where),
		cmocka_unit_test(without_a_handler_it_is_said),
		cmocka_unit_test(a_panic_inside_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
