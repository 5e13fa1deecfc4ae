/*
 * Hands a panic to whoever shows it.
 */
#include "kernel/lib/panic.h"

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

static panic_handler_fn *panic_handler;

void panic_set_handler(panic_handler_fn *handler)
{
	panic_handler = handler;
}

void panic(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	if (panic_handler)
		panic_handler(format, args);
	format_v(text, sizeof(text), format, args);
	va_end(args);
	say("panic: %s\n", text);
	for (;;)
		;
}
