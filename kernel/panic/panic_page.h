/*
 * The page with which the kernel ends: what happened and where, the registers, the walk, a backtrace, the task and its
 * memory, the end of the log.
 */
#pragma once

#include <stdint.h>

/*
 * Have every trap that no handler takes, and every panic(), show the page on all consoles and halt. Call this as soon
 * as there is a console; the direct map must be mapped.
 */
void panic_page_init(void);

/*
 * Set a function to call at the page's end, before the machine halts or restarts; `frame` is NULL when somebody called
 * panic(). A debugger stays in that function.
 */
struct trap_frame;
void panic_page_set_debugger(void (*debugger)(struct trap_frame *frame));

/*
 * Restart the machine once a page is shown, as Linux's panic=: after `seconds`, at once when negative; 0 halts.
 * tsc_frequency: ticks a second; 0, not known, counts as a fast CPU's, so that the wait is rather too long.
 */
void panic_page_set_restart(long seconds, uint64_t tsc_frequency);

/* Set the first line of the next page, before the exception, for a caller that provokes a trap to end the machine. */
void panic_page_explain(const char *text);
