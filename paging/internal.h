/*
 * What the files of paging/ share and nobody else sees: access to entries, the walk, ranges,
 * frames set aside for tables.
 */
#pragma once

#include "paging/leaves.h"

#define TABLE_ENTRIES 512

static inline pte_t *table_at(const struct space *s, paddr_t pa)
{
	return (pte_t *)(s->direct + pa.raw);
}

/* The table that `e` refers to. */
static inline pte_t *table_below(const struct space *s, pte_t e)
{
	return table_at(s, paddr(e.raw & PTE_ADDRESS));
}

/* Two entries, stored at once where the compiler may use vector registers; each half is whole in itself. */
typedef uint64_t pte_pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Store `first`, `first` + `step`, ... to `n` entries in a row. */
void entries_fill(pte_t *at, pte_t first, uint64_t step, size_t n);

/* How many entries from `at` on, of `n`, are absent before the first that is present. */
size_t entries_absent(const pte_t *at, size_t n);

/* Make `n` entries in a row absent. */
void entries_clear(pte_t *at, size_t n);

/* The smaller of `last` and the last address that the entry of `level` for `va` spans. */
static inline vaddr_t entry_last(vaddr_t va, vaddr_t last, int level)
{
	vaddr_t entry = va | (level_size(level) - 1);

	return entry < last ? entry : last;
}

/* Whether [va, va + pages) is aligned, not empty and inside one canonical half; fills *ret_last if so. */
static inline bool range_last(vaddr_t va, size_t pages, vaddr_t *ret_last)
{
	/* No product of this wraps further than to the other half. */
	bool fits = pages - 1 < 1ULL << 35;
	vaddr_t last = va + pages * PAGE_SIZE - 1;

	*ret_last = last;
	return fits && is_aligned(va, PAGE_SIZE) && is_canonical(va) && !((va ^ last) >> 47);
}

/* Refused everywhere: memory both writable and executable, user rights in the upper half. */
static inline bool rights_allowed(vaddr_t va, enum page_prot prot)
{
	return !((prot & PROT_W) && (prot & PROT_X)) && !((prot & PROT_USER) && va >> 63);
}

/* Where a walk ended, and what the entries above leave of the rights there. */
struct walk_end {
	pte_t *at;
	int level;
	pte_t e;          /* what was read at `at` */
	uint64_t granted; /* the bits set in every entry above: PTE_WRITABLE, PTE_USER */
	uint64_t denied;  /* the bits set in any entry above: PTE_NX */
};

/*
 * The walk on which everything stands: down from the PML4 as long as [va, last] lies under one
 * entry and that entry refers to a table. `path`, when not NULL, gets the places passed, PML4E
 * first, the end included. Always inline, so that callers pay only for what they use of it, and
 * unrolled, so that each level's shifts are constants: a map of one page is mostly this.
 */
static inline __attribute__((always_inline)) struct walk_end walk_range(const struct space *s, vaddr_t va, vaddr_t last,
									struct slot *path)
{
	const uint64_t apart = va ^ last;
	/* Small ranges first: nearly all share a table of PTEs. */
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
		 * Present and not PTE_HUGE, in one test: the subtraction clears PTE_PRESENT, or sets it when it was clear.
		 * Bit 7 of a PTE is not PTE_HUGE, but level 1 ends the walk anyway.
		 */
		if ((w.e.raw - PTE_PRESENT) & (PTE_PRESENT | PTE_HUGE) || w.level == lowest)
			return w;
		w.granted &= w.e.raw;
		w.denied |= w.e.raw;
		table = table_below(s, w.e);
	}
	return w; /* not reached: level 1 is never below the lowest */
}

/* Places on the path of a walk that ended at `level`. */
static inline int path_length(int level)
{
	return 5 - level;
}

/* Frames for tables, taken before an operation changes anything: chained through their first word. */
struct reserve {
	paddr_t first; /* 0 ends the chain */
};

/* Take `count` frames; counts them in s->tables. ERR_NO_MEMORY has given all of them back. */
MUST_CHECK enum status reserve_take(struct space *s, size_t count, struct reserve *ret);

/* The next frame of a reserve that is not empty. Its content is arbitrary. */
static inline paddr_t reserve_pop(const struct space *s, struct reserve *r)
{
	paddr_t pa = r->first;

	r->first = *(paddr_t *)table_at(s, pa);
	return pa;
}
