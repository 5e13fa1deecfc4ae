/*
 * Access to single leaves of a space (a PML4 with the tables below it), for a caller that keeps its own record of what
 * each leaf maps (kernel/mm/user). The functions find runs of leaves, make the tables that a new leaf needs, make a
 * leaf inaccessible while it keeps its content ("park"), and remove tables that the caller knows to be empty. The
 * caller writes entries itself, each with one store, and must flush the TLB itself.
 */
#pragma once

#include "paging/space.h"

/*
 * Read or write one entry. The CPU reads entries at any moment and may walk a table as soon as an entry refers to it,
 * so each entry is read once and stored whole, in program order: `volatile` makes the compiler do so, and x86 keeps
 * the order of stores.
 */
static inline pte_t pte_read(const pte_t *at)
{
	return (pte_t){ *(const volatile uint64_t *)&at->raw };
}

static inline void pte_write(pte_t *at, pte_t e)
{
	*(volatile uint64_t *)&at->raw = e.raw;
}

/*
 * Park a leaf: it keeps its memory and rights, but is not present, so that nobody can use it. The address is inverted:
 * a CPU that speculates through entries that are not present (L1TF) then finds no memory there.
 */
static inline pte_t pte_park(pte_t e)
{
	return (pte_t){ (e.raw ^ PTE_ADDRESS) & ~PTE_PRESENT };
}

static inline bool pte_is_parked(pte_t e)
{
	return e.raw && !(e.raw & PTE_PRESENT);
}

static inline pte_t pte_unpark(pte_t e)
{
	return (pte_t){ (e.raw ^ PTE_ADDRESS) | PTE_PRESENT };
}

/*
 * Do what space_find() does, for an address of the lower half only. Faster, since it does not check that va is
 * canonical.
 */
struct slot space_leaf_slot(const struct space *s, vaddr_t va);

/* A run: neighbouring entries of one table. */
struct space_run {
	pte_t *at; /* the entry for `va` */
	/*
	 * number of entries. Level 1: PTEs, each absent, present or parked. Other levels: 1, a large leaf, present or
	 * parked.
	 */
	size_t count;
	int level;
	/* first address of the first entry; a large leaf may begin before the range that was asked for */
	vaddr_t va;
};

/* Return the first address after a run. */
static inline vaddr_t space_run_end(const struct space_run *run)
{
	return run->va + run->count * level_size(run->level);
}

/*
 * Find the first run in [va, last]: either the PTEs of one table that lie in the range, or a large leaf, present or
 * parked.
 * va, last: in one canonical half. Returns false, *ret untouched, when the range has neither a table of PTEs nor a
 * large leaf.
 */
bool space_run(const struct space *s, vaddr_t va, vaddr_t last, struct space_run *ret);

/*
 * Point *ret to the entry of `level` for `va`, in the lower half; missing tables above it are made. The entry itself is
 * not changed.
 * Returns ERR_EXISTS (a larger leaf maps va, or the entry refers to a table of smaller ones), ERR_NO_MEMORY.
 * On error nothing has changed. Needs no flush.
 */
MUST_CHECK enum status space_place(struct space *s, vaddr_t va, int level, pte_t **ret);

/*
 * Remove from the space each table that is used for [va, last], in the lower half, and whose whole span lies in [floor,
 * ceiling). Call this only when these tables hold no leaf any more, present or parked: that is not checked. The tables
 * are added to the flush.
 */
void space_prune(struct space *s, vaddr_t va, vaddr_t last, vaddr_t floor, vaddr_t ceiling, struct tlb_flush *flush);
