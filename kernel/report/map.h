/*
 * The two maps in a form to read: what the machine has, and what a space maps.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

/* A line for each range, then a sum for each type. */
void map_print_memory(print_fn *print, const struct memmap *map);

/* A line for each type of memory that there is: bytes in human units and ranges; then all RAM together. */
void map_print_totals(print_fn *print, const struct memmap *map);

/* A name for [start, end): better than the one that paging/layout.h has for all that lies there. */
struct map_label {
	vaddr_t start;
	vaddr_t end;
	const char *name;
};

/*
 * A line for each run of leaves that follow one another with equal rights and memory type, of whatever sizes:
 * addresses (the last one included), size, rights, type, leaves of each size, name. At most 100 columns.
 * Only in the kernel context.
 */
void map_print_space(print_fn *print, const struct space *s, const struct map_label *labels, size_t label_count);
