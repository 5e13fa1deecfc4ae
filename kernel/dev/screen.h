/*
 * The machine's one screen as a place that the log writes to.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/lib/log.h"

/* Bytes of memory that screen_init() needs to use all of this framebuffer; 0 when there is none. */
size_t screen_memory_size(const struct boot_framebuffer *info);

/*
 * Clear the screen and make `screen_sink` ready for log_add_sink().
 * pixels: where the framebuffer is mapped, writable, best write-combining; it must be whenever something is said.
 * memory: kept for good, aligned to 2, mapped in every context; less than screen_memory_size() bytes make fewer rows.
 * Returns text_console_init()'s errors; the sink then stays deaf.
 */
MUST_CHECK enum status screen_init(const struct boot_framebuffer *info, void *pixels, void *memory, size_t size);

extern struct log_sink screen_sink;
