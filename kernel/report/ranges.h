/*
 * The ranges of the virtual memory map as a table, made from the constants of paging/layout.h, for looking addresses
 * up.
 */
#pragma once

#include "paging/layout.h"
#include "paging/types.h"

struct layout_range {
	vaddr_t base;
	uint64_t size;
	const char *key;  /* the range's name in paging/layout.h: "HHDM" */
	const char *name; /* "direct map (HHDM)" */
};

#define X(key, base, size, name) +1
enum { LAYOUT_COUNT = 0 LAYOUT_RANGES(X) };
#undef X

/* The ranges, in the order of their addresses. */
extern const struct layout_range layout_ranges[LAYOUT_COUNT];

/* Return the index of the range that holds `va`; LAYOUT_COUNT for an address in none of them. */
size_t layout_find(vaddr_t va);
