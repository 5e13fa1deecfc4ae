/*
 * A real machine's memory map, as scripts/hwreport2fixture writes it from the machine's own report.
 */
#pragma once

#include "kernel/boot/boot_info.h"

struct fixture_descriptor {
	uint32_t type; /* EFI_MEMORY_TYPE, or a number beyond */
	uint64_t start, pages, attribute;
};

struct fixture_segment {
	uint64_t va, pa, pages, prot;
};

struct map_fixture {
	const char *name;
	bool huge_pages; /* the CPU has 1 GiB pages */

	/* The firmware's map, in its order. */
	uint64_t descriptor_size;
	const struct fixture_descriptor *descriptors;
	size_t descriptor_count;

	/* What the loader knew beside it. */
	struct boot_framebuffer framebuffer;
	uint64_t initrd, initrd_size;
	uint64_t outside, outside_size; /* boot_info's initrd_outside */
	const struct fixture_segment *segments;
	size_t segment_count;
	uint64_t tables, table_frames; /* spare ones included */

	/* The map that the loader of then made of it. */
	uint64_t excess;
	const struct mem_range *ranges;
	size_t range_count;
};
