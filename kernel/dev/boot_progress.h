/*
 * Shows how far the boot has come (kernel/boot/boot_stage.h): on port 0x80 always, and as a square on the screen from
 * when device memory can be mapped until the screen shows text.
 */
#pragma once

#include "kernel/boot/boot_stage.h"

void stages_reach(enum boot_stage stage);

/*
 * Draw stages from now on, and first those that the kernel has reached already. Without a framebuffer only the codes
 * are shown; likewise, and the log says so, when the framebuffer's first rows cannot be mapped.
 */
void stages_draw_on(const struct boot_framebuffer *info);

/* Draw no more stages: the text console owns the screen from now on. */
void stages_draw_end(void);
