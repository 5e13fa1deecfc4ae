/*
 * Windows: virtual ranges handed out from one fixed range (the heap's, the MMIO's). Only addresses;
 * what is mapped there is the caller's business. Not locked: the caller serialises the calls on one
 * `struct windows`.
 */
#pragma once

#include "paging/types.h"

/* Where the pages come from that hold the bookkeeping. Must not call back into the same `windows`, nor the heap. */
struct window_seam {
	void *(*page_alloc)(void *ctx); /* one page-aligned page, or NULL */
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

/* One range and what is reserved of it. The fields are private to window*.c. */
struct windows {
	vaddr_t base;
	uint64_t size;
	uint64_t free_bytes;      /* neither reserved nor guard */
	size_t count;             /* windows reserved */
	struct window_node *root; /* every piece, free or reserved, by address */
	struct window_node *idle; /* nodes in no tree, linked by `right` */
	size_t idle_count;        /* of them */
	uint64_t random;          /* state of the generator of node priorities */
	const struct window_seam *seam;
};

/* What window_find and window_visit tell: the window without its guards. */
struct window {
	vaddr_t base;
	uint64_t size;
	enum window_guard guard;
};

/*
 * Start with the whole range [base, base + size) free. base, size: page-aligned. `seam` is kept.
 * Returns ERR_RANGE (unaligned, size 0, a wrap), ERR_NO_MEMORY; `w` is unusable then and holds no page.
 */
MUST_CHECK enum status windows_init(struct windows *w, vaddr_t base, uint64_t size, const struct window_seam *seam);

/* Give the bookkeeping's pages back. Windows still reserved are forgotten. */
void windows_destroy(struct windows *w);

/*
 * Reserve `size` bytes at an address that is a multiple of `align`, with guard pages as asked for.
 * size: a multiple of the page size, not 0. align: a power of two from a page to 1 GiB.
 * Fails only when no such range is free (ERR_NO_MEMORY), no page for bookkeeping is (ERR_NO_MEMORY),
 * or size or align are not as said (ERR_RANGE); nothing has changed then.
 * The lowest range with room to spare for the alignment is taken: O(log n). Only when there is none are the tighter
 * ranges tried one by one.
 */
MUST_CHECK enum status window_reserve(struct windows *w, uint64_t size, uint64_t align, enum window_guard guard,
				      vaddr_t *ret_base);

/*
 * Give back the window that starts at `base`, guards included; it merges with free neighbours. Never needs memory.
 * Returns ERR_NOT_FOUND (no window starts there) with nothing changed. O(log n).
 */
MUST_CHECK enum status window_release(struct windows *w, vaddr_t base);

/* The window that `va` lies in, guards included. Returns ERR_NOT_FOUND when it is free or out of range. */
MUST_CHECK enum status window_find(const struct windows *w, vaddr_t va, struct window *ret);

/* Call `see` with each window, lowest first. `see` must not change `w`. */
void window_visit(const struct windows *w, void (*see)(void *ctx, const struct window *window), void *ctx);
