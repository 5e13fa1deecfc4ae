/*
 * The screen while the kernel starts, until the terminals draw it: log lines scroll by faster than anybody reads, and
 * showing each line as it comes would take most of the boot's time.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Start the screen on this framebuffer, if there is one, and show the log on it; `quiet`: only what comes from now on.
 * No pixel changes before the next screen_show() or boot_screen_timer_on().
 */
void boot_screen_start(const struct boot_framebuffer *fb, bool quiet);

/*
 * Draw what is logged a tenth of a second later, from now on, by a timer: so the screen shows where a boot hangs, as
 * long as interrupts come. Call when timers work.
 */
void boot_screen_timer_on(void);

/* End the timer. What waits is left to whoever draws next. */
void boot_screen_timer_off(void);
