/*
 * Gets the memory back that only the boot needed.
 */
#pragma once

#include "kernel/boot/boot_info.h"

struct reclaimed {
	uint64_t loader;        /* 4 KiB frames of the loader's memory */
	uint64_t boot_services; /* 4 KiB frames of the firmware's boot services */
};

/*
 * Make the loader's memory and the firmware's boot-services memory usable, except the pages with `info`, its command
 * line, its memory map and the firmware's map: the kernel still reads those. Nothing else may point into that memory
 * any more: call this once, after the firmware's tables have been read.
 */
struct reclaimed reclaim_boot_memory(const struct boot_info *info);
