/*
 * /dev/fb0, the screen's pixels for programs; fb_device.c says how they get there.
 */
#pragma once

#include <stdbool.h>

/* Register the device if there is a screen. Call once, at boot. */
void fb_device_init(void);

/*
 * fb_device_show() puts what programs have changed on the screen. fb_device_wants_showing() returns whether it is time
 * for that. When that time comes the task that draws is woken (terminals_draw_soon), and must call fb_device_show().
 */
void fb_device_show(void);
bool fb_device_wants_showing(void);

/* Have what programs have changed shown now: fb_device_wants_showing() returns true if there is anything. */
void fb_device_hurry(void);

/* Show what is left, at once. Call when no program runs any more. */
void fb_device_end(void);
