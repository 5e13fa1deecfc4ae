/*
 * A space's leaves one by one, for an owner that keeps books of what each maps: finding them in rows, making places for
 * them, parking them, and giving back tables whose emptiness the owner knows. The owner writes entries itself, each with
 * one store, and keeps the duty to flush.
 */
#pragma once

#include "paging/space.h"

/*
 * The CPU reads entries at any moment and may walk a table as soon as something refers to it: each
 * entry is read once and stored whole, in program order, which `volatile` asks of the compiler and
 * x86 keeps.
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
 * A leaf that is parked keeps its memory and rights, but is not present: nobody can use it. The address is inverted, so
 * that a CPU which reads ahead through entries that are not present (L1TF) finds no memory there.
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

/* As space_find, for a va of the lower half, and quicker. */
struct slot space_leaf_slot(const struct space *s, vaddr_t va);

/* Entries in a row, of one table. */
struct space_run {
	pte_t *at;    /* the entry for va */
	size_t count; /* with level 1: PTEs, any of which may be absent, present or parked; else 1, a leaf */
	int level;
	vaddr_t va; /* what the first maps from; below the start asked for when a large leaf begins there */
};

/* Where a run ends. */
static inline vaddr_t space_run_end(const struct space_run *run)
{
	return run->va + run->count * level_size(run->level);
}

/*
 * The first run that [va, last] reaches: the PTEs of one table inside [va, last], or a larger leaf, present or parked.
 * va, last: in one canonical half. False: there is none, *ret is untouched.
 */
bool space_run(const struct space *s, vaddr_t va, vaddr_t last, struct space_run *ret);

/*
 * The entry of `level` for `va`, in the lower half; tables down to it are made. Its content is what it was.
 * Returns ERR_EXISTS (a larger leaf maps va, or a table of smaller ones is there), ERR_NO_MEMORY. On error nothing has changed. Needs no flush.
 */
MUST_CHECK enum status space_place(struct space *s, vaddr_t va, int level, pte_t **ret);

/*
 * Take the tables out that [va, last], in the lower half, reaches and whose whole span lies in [floor, ceiling). The
 * caller knows that no leaf is left there. They go to the flush.
 */
void space_prune(struct space *s, vaddr_t va, vaddr_t last, vaddr_t floor, vaddr_t ceiling, struct tlb_flush *flush);
