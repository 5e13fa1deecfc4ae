/*
 * Windows: virtual ranges handed out from one fixed range (the heap's, the MMIO's). Only addresses: the caller decides
 * what is mapped there. Has no lock: the caller serialises the calls on one `struct windows`.
 */
#pragma once

#include "paging/types.h"

/*
 * Where a `struct windows` gets pages for its bookkeeping. The functions must not use the `struct windows` that they
 * serve, nor the heap.
 */
struct window_seam {
	void *(*page_alloc)(void *ctx); /* return one page, page-aligned, or NULL */
	void (*page_free)(void *ctx, void *page);
	void *ctx;
};

/* Pages beside the window that stay reserved with it and are never to be mapped. */
enum window_guard {
	WINDOW_GUARD_NONE,
	WINDOW_GUARD_BELOW = 1,
	WINDOW_GUARD_ABOVE = 2,
	WINDOW_GUARD_BOTH = WINDOW_GUARD_BELOW | WINDOW_GUARD_ABOVE,
};

struct window_node;
struct window_page;

/*
 * A fixed range and its windows. The fields are private to window*.c. Guard of all fields: whatever the caller
 * serialises its calls by.
 */
struct windows {
	vaddr_t base;
	uint64_t size;
	uint64_t free_bytes;      /* bytes that are neither window nor guard */
	size_t count;             /* number of windows */
	struct window_node *root; /* tree of all pieces, free or reserved, by address */
	struct window_node *idle; /* nodes that are in no tree, linked by `right` and `left` */
	size_t idle_count;        /* how many nodes are idle */
	uint64_t random;          /* state of the generator of node priorities */
	const struct window_seam *seam;
};

/* A window without its guards, as window_find and window_visit report it. */
struct window {
	vaddr_t base;
	uint64_t size;
	enum window_guard guard;
};

/*
 * Start with the whole range [base, base + size) free. base, size: page-aligned. `seam` must stay valid.
 * Returns ERR_RANGE (unaligned, size 0, a wrap), ERR_NO_MEMORY; `w` is unusable then and holds no page.
 */
MUST_CHECK enum status windows_init(struct windows *w, vaddr_t base, uint64_t size, const struct window_seam *seam);

/* Give the bookkeeping's pages back. Windows that are still reserved are forgotten. */
void windows_destroy(struct windows *w);

/*
 * Reserve `size` bytes at an address that is a multiple of `align`, with the guard pages asked for.
 * size: a multiple of the page size, not 0. align: a power of two from a page to 1 GiB.
 * Returns ERR_NO_MEMORY (no such range is free, or no page for bookkeeping), ERR_RANGE (a size or alignment that is not
 * allowed); nothing has changed then. The lowest range with room to spare for the alignment is taken: O(log n). Only
 * when no range has that room, tighter ones are tried one by one.
 */
MUST_CHECK enum status window_reserve(struct windows *w, uint64_t size, uint64_t align, enum window_guard guard,
				      vaddr_t *ret_base);

/*
 * Give back the window that starts at `base`, guards included; free neighbours are merged. Never needs memory.
 * Returns ERR_NOT_FOUND (no window starts there) with nothing changed. O(log n).
 */
MUST_CHECK enum status window_release(struct windows *w, vaddr_t base);

/* Find the window that `va` lies in, guards included. Returns ERR_NOT_FOUND when `va` is free or out of range. */
MUST_CHECK enum status window_find(const struct windows *w, vaddr_t va, struct window *ret);

/* Call `see` with each window, lowest first. `see` must not change `w`. */
void window_visit(const struct windows *w, void (*see)(void *ctx, const struct window *window), void *ctx);
