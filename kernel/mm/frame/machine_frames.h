/*
 * The machine's frames: starts the allocator with the RAM that the loader's memory map calls usable, and takes back the
 * frames of the page tables that the loader built.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/mm/frame/frame.h"

/* The machine's memory map, in loader memory that is never reclaimed. Fixed once machine_frames_init has run. */
extern const struct memmap *machine_memmap;

/*
 * Set machine_memmap, and start machine_frames with the map's usable memory, and with the frames that the loader had
 * set aside for page tables and did not need. Call while the loader's tables or the kernel context are loaded. Panics
 * when there is no usable memory.
 */
void machine_frames_init(const struct boot_info *info);

/*
 * Free the frame of a page table: one of frame_alloc_4k, or one that the loader took and the allocator does not
 * know yet.
 */
void machine_frames_free_table(paddr_t pa);
