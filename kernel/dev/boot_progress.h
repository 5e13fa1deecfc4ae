/*
 * Shows how far the boot has come (kernel/boot/boot_stage.h): as a code on port 0x80, and, from stages_draw_on() to
 * stages_draw_end(), also as a square on the screen.
 */
#pragma once

#include "kernel/boot/boot_stage.h"

/* Show that the boot has come to `stage`. */
void stages_reach(enum boot_stage stage);

/*
 * Draw the stages that the kernel has reached already, and from now on each further one when it is reached. Call when
 * device memory can be mapped. Nothing is drawn if there is no framebuffer, or if its first rows cannot be mapped,
 * which is logged.
 */
void stages_draw_on(const struct boot_framebuffer *info);

/* Draw no more stages: the text console uses the screen from now on. */
void stages_draw_end(void);
