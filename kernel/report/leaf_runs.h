/*
 * A space's leaves (entries that map memory) joined to runs, for printing and drawing. A run is a series of leaves that
 * follow one another with equal rights.
 */
#pragma once

#include "kernel/report/ranges.h"
#include "paging/space.h"

/* Leaves of any sizes with equal rights and memory type, without a gap, in one range of paging/layout.h, or in none. */
struct leaf_run {
	vaddr_t start;
	vaddr_t last; /* address of the last byte */
	enum page_prot prot;
	size_t range;     /* index in layout_ranges; LAYOUT_COUNT: in none of them */
	size_t leaves[4]; /* number of leaves of levels 1 to 4 */
};

typedef void leaf_run_fn(void *ctx, const struct leaf_run *run);

/*
 * Call `see` for each run of `s`, in the order of addresses. Returns the number of tables of `s`, root included. Call
 * in the kernel context, which alone maps all RAM and so all tables.
 */
size_t leaf_runs_visit(const struct space *s, leaf_run_fn *see, void *ctx);
