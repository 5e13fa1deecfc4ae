/*
 * The kernel context's space: the tables that the loader handed over, and what the kernel adds to them.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/mm/space/context.h"
#include "kernel/mm/space/window.h"

/* The kernel context's page tables, as paging/space.h knows them. */
#define kernel_space (kernel_context.space)

/*
 * Take the loader's tables over. Call after machine_frames_init(). Unmaps the lower half with the loader's trampoline,
 * makes the leaves of PML4 slot 511 global, and pins that slot: its table is never given back. Panics when the tables
 * are not what boot_info.h says.
 */
void kernel_space_init(const struct boot_info *info);

/*
 * Gives a `struct windows` (window.h: reserved ranges of addresses) frames for its bookkeeping, which is reached
 * through the direct map: use such a `struct windows` only while the kernel context is loaded.
 */
extern const struct window_seam direct_map_pages;

/*
 * Create a space that maps nothing but PML4 slot 511, which all spaces share: takes one frame and copies one entry.
 * Returns ERR_NO_MEMORY.
 */
MUST_CHECK enum status kernel_space_create(struct space *ret);
