/*
 * The two maps as text: what memory the machine has, and what a space maps.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

/* Print a line for each range, then a sum for each type. */
void map_print_memory(print_fn *print, const struct memmap *map);

/* Print a line for each type of memory that the map has: bytes in human units, and ranges; then all RAM together. */
void map_print_totals(print_fn *print, const struct memmap *map);

/*
 * A name for [start, end), more exact than that of the range of paging/layout.h that it lies in.
 * Guard: whoever makes it.
 */
struct map_label {
	vaddr_t start;
	vaddr_t end;
	const char *name;
};

/*
 * Print a line for each run of leaves that follow one another with equal rights and memory type, of whatever sizes:
 * addresses (the last one included), size, rights, type, leaves of each size, name. At most 100 columns. Only in the
 * kernel context.
 */
void map_print_space(print_fn *print, const struct space *s, const struct map_label *labels, size_t label_count);
