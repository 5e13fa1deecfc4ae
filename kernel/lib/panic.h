/*
 * `panic`, for errors after which the kernel cannot go on, and ASSERT, in every build, for the kernel's own bugs. A
 * higher layer registers what a panic does: show a report, halt or restart.
 */
#pragma once

#include <stdarg.h>

#include "kernel/lib/likely.h"

__attribute__((noreturn, cold, format(printf, 1, 2))) void panic(const char *format, ...);

/*
 * Have panic call `handler` with its message. The handler must not return. A panic inside the handler calls the handler
 * again, which must be prepared for that. Until a handler is set, panic prints its message, once, and loops for ever.
 */
typedef void panic_handler_fn(const char *format, va_list args);
void panic_set_handler(panic_handler_fn *handler);

#define ASSERT(condition)                                                                      \
	do {                                                                                   \
		if (unlikely(!(condition)))                                                    \
			panic("assertion failed: %s (%s:%d)", #condition, __FILE__, __LINE__); \
	} while (0)
