/*
 * Says how far the boot has come (kernel/boot/boot_stage.h): on port 0x80 always, and as a square on the screen from when
 * device memory can be mapped until the screen has text.
 */
#pragma once

#include "kernel/boot/boot_stage.h"

void stages_reach(enum boot_stage stage);

/*
 * Draw from now on, and first the kernel's stages up to now. Without a framebuffer there are the codes only; also, and the log
 * says so, when its first rows cannot be mapped.
 */
void stages_draw_on(const struct boot_framebuffer *info);

/* Draw no more: the screen is somebody else's. */
void stages_draw_end(void);
