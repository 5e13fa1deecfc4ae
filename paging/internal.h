/*
 * What the files of paging/ share among themselves: access to entries, the walk, ranges, frames set aside for tables.
 * Nobody outside paging/ includes this file.
 */
#pragma once

#include "paging/leaves.h"

#define TABLE_ENTRIES 512

static inline pte_t *table_at(const struct space *s, paddr_t pa)
{
	return (pte_t *)(s->direct + pa.raw);
}

/* Return the table that the entry `e` refers to. */
static inline pte_t *table_below(const struct space *s, pte_t e)
{
	return table_at(s, paddr(e.raw & PTE_ADDRESS));
}

/*
 * Two entries, stored in one instruction where the compiler may use vector registers. The CPU never sees an entry half
 * written: each entry is 8 aligned bytes.
 */
typedef uint64_t pte_pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Store the entries `first`, `first` + `step`, `first` + 2 * `step`, ... in `n` places from `at` on. */
void entries_fill(pte_t *at, pte_t first, uint64_t step, size_t n);

/* Return how many of the `n` entries from `at` on are absent before the first that is present; `n` when none is. */
size_t entries_absent(const pte_t *at, size_t n);

/* Make `n` entries in a row absent. */
void entries_clear(pte_t *at, size_t n);

/* Return the last address that the entry of `level` around `va` spans, or `last` when that is smaller. */
static inline vaddr_t entry_last(vaddr_t va, vaddr_t last, int level)
{
	vaddr_t entry = va | (level_size(level) - 1);

	return entry < last ? entry : last;
}

/*
 * Return whether the range of `pages` pages from `va` on is page-aligned, not empty and inside one canonical half; if
 * so, *ret_last is its last byte.
 */
static inline bool range_last(vaddr_t va, size_t pages, vaddr_t *ret_last)
{
	/*
	 * A range that leaves its half must end in the other half, which the XOR below detects. That holds because the
	 * range has at most 2^47 bytes, the size of a half.
	 */
	bool fits = pages - 1 < 1ULL << 35;
	vaddr_t last = va + pages * PAGE_SIZE - 1;

	*ret_last = last;
	return fits && is_aligned(va, PAGE_SIZE) && is_canonical(va) && !((va ^ last) >> 47);
}

/* Return false for what every operation refuses: memory both writable and executable, user rights in the upper half. */
static inline bool rights_allowed(vaddr_t va, enum page_prot prot)
{
	return !((prot & PROT_W) && (prot & PROT_X)) && !((prot & PROT_USER) && va >> 63);
}

/* Where a walk ended, and the rights that the table entries above that place allow a leaf there. */
struct walk_end {
	pte_t *at;
	int level;
	pte_t e;          /* what was read at `at` */
	uint64_t granted; /* AND of all table entries above, for PTE_WRITABLE and PTE_USER */
	uint64_t denied;  /* OR of all table entries above, for PTE_NX */
};

/*
 * Walk down from the PML4 as long as [va, last] lies under one entry and that entry refers to a table. Every operation
 * of paging/ begins with this walk. `path`, when not NULL, gets the places on the way, from the PML4E to the end of the
 * walk. The function is inlined, so that the compiler leaves out what a caller does not use, and unrolled, so that each
 * level's shifts are constants: mapping one page consists mostly of this walk.
 */
static inline __attribute__((always_inline)) struct walk_end walk_range(const struct space *s, vaddr_t va, vaddr_t last,
									struct slot *path)
{
	const uint64_t apart = va ^ last;
	/*
	 * The level at which the walk ends at the latest. Small ranges are tested first: nearly all lie under one table
	 * of PTEs.
	 */
	const int lowest = apart < level_size(2) ? 1 : apart < level_size(3) ? 2 : apart < level_size(4) ? 3 : 4;
	struct walk_end w = { .level = 4, .granted = ~0ULL };
	pte_t *table = table_at(s, s->root);

#pragma GCC unroll 4
	for (uint64_t index = va << 16; w.level > 0; w.level--, index <<= 9) {
		w.at = &table[index >> 55];
		w.e = pte_read(w.at);
		if (path)
			*path++ = (struct slot){ w.at, w.level };
		/*
		 * One test for "not present, or PTE_HUGE": the subtraction clears PTE_PRESENT if it was set, and sets
		 * it if it was clear. In a PTE (level 1) the bit of PTE_HUGE is the PAT bit, but the walk ends at level
		 * 1 in any case.
		 */
		if ((w.e.raw - PTE_PRESENT) & (PTE_PRESENT | PTE_HUGE) || w.level == lowest)
			return w;
		w.granted &= w.e.raw;
		w.denied |= w.e.raw;
		table = table_below(s, w.e);
	}
	return w; /* not reached: `lowest` is at least 1, so the loop returns */
}

/* Return how many entries the path of a walk has when the walk ended at `level`: one for each level from 4 down. */
static inline int path_length(int level)
{
	return 5 - level;
}

/* Frames for tables, taken before an operation changes anything. Each frame's first word links to the next frame. */
struct reserve {
	paddr_t first; /* 0: no frame is left */
};

/*
 * Take `count` frames into *ret and count them in s->tables. On ERR_NO_MEMORY all that were taken have been given back.
 */
MUST_CHECK enum status reserve_take(struct space *s, size_t count, struct reserve *ret);

/* Take a frame out of a reserve that is not empty. The frame's content is arbitrary. */
static inline paddr_t reserve_pop(const struct space *s, struct reserve *r)
{
	paddr_t pa = r->first;

	r->first = *(paddr_t *)table_at(s, pa);
	return pa;
}
