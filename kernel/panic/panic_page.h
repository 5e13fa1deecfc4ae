/*
 * The page that the kernel ends with: what happened, where, the registers, the walk, who called whom, the task
 * and its memory, the last of the log.
 */
#pragma once

#include <stdint.h>

/*
 * From now on a trap that nobody takes and every panic() show the page on all consoles and halt.
 * Call it when there is a console; the direct map must be there.
 */
void panic_page_init(void);

/*
 * Called at the page's end, before the machine halts or restarts; `frame` is NULL when somebody called panic(). A
 * debugger stays in it.
 */
struct trap_frame;
void panic_page_set_debugger(void (*debugger)(struct trap_frame *frame));

/*
 * Restart the machine behind the page, as Linux's panic=: after `seconds`, at once when negative; 0 halts.
 * tsc_frequency: ticks a second; 0, not known, counts as a fast CPU's, so that the wait is rather too long.
 */
void panic_page_set_restart(long seconds, uint64_t tsc_frequency);

/* What the next page's first line says, before the exception: who provokes a trap to end the machine knows more. */
void panic_page_explain(const char *text);
