/*
 * A panic ends the test program, with its message: linked into every test. A test that expects one sets a handler
 * of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/panic.h"

static void print_and_abort(const char *format, va_list args)
{
	fputs("panic: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	abort();
}

__attribute__((constructor)) static void set_handler(void)
{
	panic_set_handler(print_and_abort);
}
