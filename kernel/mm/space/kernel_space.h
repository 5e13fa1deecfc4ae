/*
 * The kernel context's space: the tables that the loader handed over, and what the kernel adds to them.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/mm/space/context.h"
#include "kernel/mm/space/window.h"

/* The space of the kernel context. */
#define kernel_space (kernel_context.space)

/*
 * Take the loader's tables over; the frame allocator has started. Drops the trampoline and all else in the lower half,
 * sets G on slot 511's leaves, and pins slot 511. Panics when the tables are not what the contract says.
 */
void kernel_space_init(const struct boot_info *info);

/*
 * The window_seam for windows whose books lie in frames: they are read through the direct map, so only in the kernel
 * context.
 */
extern const struct window_seam direct_map_pages;

/*
 * Create a space with slot 511 as in all others and nothing else: one frame and one copied entry.
 * Returns ERR_NO_MEMORY.
 */
MUST_CHECK enum status kernel_space_create(struct space *ret);
