/*
 * Two maps as text: the machine's physical memory, and what a space (one PML4 and all tables below it) maps.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

/* Print a line for each range of physical memory, then a sum for each type. */
void map_print_memory(print_fn *print, const struct memmap *map);

/* Print a line for each type of memory in the map: size, and number of ranges; then one for all RAM together. */
void map_print_totals(print_fn *print, const struct memmap *map);

/*
 * A name for [start, end), more exact than the name of the range of paging/layout.h around it.
 * Guard: the caller, which makes the labels.
 */
struct map_label {
	vaddr_t start;
	vaddr_t end;
	const char *name;
};

/*
 * Print a line for each run of adjacent leaves with equal rights and memory type: addresses (the last one included),
 * size, rights, type, how many leaves of each size, name. At most 100 columns. Call in the kernel context, which alone
 * maps all RAM and so all tables.
 */
void map_print_space(print_fn *print, const struct space *s, const struct map_label *labels, size_t label_count);
