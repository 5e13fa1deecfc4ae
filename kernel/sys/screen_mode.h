/*
 * Decides who draws on the screen: the terminal, or a program by /dev/fb0 (ioctl_console(2), KDSETMODE). Does the work
 * of the task that draws for both.
 */
#pragma once

#include "kernel/fs/tty.h"

/* The operations `set_graphics` and `is_graphics` of the screen's terminal (kernel/fs/tty.h). */
int screen_mode_set(struct tty *tty, bool graphics);
bool screen_mode_is_graphics(struct tty *tty);

/*
 * screen_draw() draws what programs have written to the terminal or to /dev/fb0 and the screen does not show yet.
 * screen_wants_drawing() returns whether there is something to draw. terminals_draw_soon() wakes the task that calls
 * them.
 */
void screen_draw(void);
bool screen_wants_drawing(void);
