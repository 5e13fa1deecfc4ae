/*
 * Shows how far the boot has come (kernel/boot/boot_stage.h): as a code on port 0x80, and, from stages_draw_on() to
 * stages_draw_end(), also as a square on the screen.
 */
#pragma once

#include "kernel/boot/boot_stage.h"

/* Show that the boot has come to `stage`. */
void stages_reach(enum boot_stage stage);

/*
 * Draw stages from now on, and first those that the kernel has reached already. Call when device memory can be mapped.
 * Draws nothing without a framebuffer, or when its first rows cannot be mapped; the latter is logged.
 */
void stages_draw_on(const struct boot_framebuffer *info);

/* Draw no more stages: the text console uses the screen from now on. */
void stages_draw_end(void);
