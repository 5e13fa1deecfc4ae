/*
 * The page that the kernel shows when it ends: what happened and where, the registers, the page-table walk of the
 * faulting address, a backtrace, the task and its memory, the end of the log.
 */
#pragma once

#include <stdint.h>

/*
 * Have every trap that no handler takes, and every panic(), show the page on all consoles, then halt or restart the
 * machine. Call as soon as there is a console; the direct map must be mapped.
 */
void panic_page_init(void);

/*
 * Set a function to call at the page's end, before the machine halts or restarts; `frame` is NULL when panic() was
 * called. A debugger talks to its user in that function.
 */
struct trap_frame;
void panic_page_set_debugger(void (*debugger)(struct trap_frame *frame));

/*
 * Set what happens after the page is shown, as Linux's panic= does: a restart after `seconds`, at once when negative; a
 * halt when 0. tsc_frequency: TSC ticks a second; 0 when that is not known: then a high rate is assumed, so that the
 * wait is too long rather than too short.
 */
void panic_page_set_restart(long seconds, uint64_t tsc_frequency);

/* Set a line to show above the exception, for a caller that is about to end the machine by a trap. */
void panic_page_explain(const char *text);
