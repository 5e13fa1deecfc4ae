/*
 * Calls the handler that shows a panic. Halting the machine is left to the handler, since this layer does not use
 * privileged instructions.
 */
#include "kernel/lib/panic.h"

#include <stdbool.h>

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

/* Fixed after boot. */
static panic_handler_fn *panic_handler;

void panic_set_handler(panic_handler_fn *handler)
{
	panic_handler = handler;
}

/*
 * Print the message when no handler is set. Only the first panic is printed: if printing itself panics, printing that
 * panic would panic again, without end.
 */
static void say_panic(const char *format, va_list args)
{
	static bool entered; /* guard: the first panic, which sets it */
	char text[256];

	if (entered)
		return;
	entered = true;
	format_v(text, sizeof(text), format, args);
	say("panic: %s\n", text);
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (panic_handler)
		panic_handler(format, args);
	else
		say_panic(format, args);
	va_end(args);
	for (;;)
		;
}

#if DEBUG && !defined(HOST_TEST)
/*
 * Called by code that the compiler adds (-fstack-protector-strong) when a function that returns finds its canary
 * changed.
 */
__attribute__((noreturn)) void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	panic("an array on the stack was written beyond its end");
}
#endif
