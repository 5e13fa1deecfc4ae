/*
 * A space's leaves in runs: those that follow one another with the same rights, for whoever prints or draws them.
 */
#pragma once

#include "kernel/report/ranges.h"
#include "paging/space.h"

/* Leaves of any sizes with equal rights and memory type, without a gap, in one range of the layout. */
struct leaf_run {
	vaddr_t start;
	vaddr_t last; /* address of the last byte */
	enum page_prot prot;
	size_t range;     /* in layout_ranges; LAYOUT_COUNT: outside the map */
	size_t leaves[4]; /* of levels 1 to 4 */
};

typedef void leaf_run_fn(void *ctx, const struct leaf_run *run);

/* Call `see` for each run of `s`, by addresses. Returns how many tables `s` has, the root included. In the kernel context. */
size_t leaf_runs_visit(const struct space *s, leaf_run_fn *see, void *ctx);
