/*
 * A space: one PML4 and all that hangs from it. Map, unmap, protect, find, visit over 4 KiB, 2 MiB and 1 GiB leaves.
 * Nothing here flushes a TLB, takes a lock, prints, or runs a privileged instruction: an operation that lowers rights
 * records in its caller's `struct tlb_flush` what the caller must invalidate.
 *
 * Memory comes from the caller: `alloc` and `free` give and take frames for tables, and a frame is reached at
 * `direct + pa`. An addition is enough, and quicker than a call: the loader's identity map, the direct map of RAM
 * (HHDM) and a host test's arena are all linear.
 *
 * The caller serialises operations that change a space, and lets nobody read a table that is being given back.
 */
#pragma once

#include "paging/pte.h"

struct space_ops {
	/*
	 * Allocate one frame for a table, never the frame at address 0; the frame's content does not matter. Returns
	 * ERR_NO_MEMORY; *ret_pa is unchanged then.
	 */
	enum status (*alloc)(void *ctx, paddr_t *ret_pa);
	void (*free)(void *ctx, paddr_t pa);
};

struct space {
	paddr_t root;     /* the PML4's frame */
	uintptr_t direct; /* a frame at pa is seen at the address direct + pa; page-aligned */
	const struct space_ops *ops;
	void *ctx;      /* handed to ops */
	int max_leaf;   /* largest leaf level that map may use: 1, 2, or 3 when the CPU has 1 GiB pages */
	size_t tables;  /* number of tables below the root, without those that belong to another space (space_share) */
	paddr_t spares; /* emptied tables, kept for space_place (leaves.h): chained, not counted in `tables` */
	unsigned spare_count;
	unsigned spares_max; /* how many spares to keep at the most; 0 unless the space's owner sets it */
};

/* A place in a table. level is 1 (PTE) to 4 (PML4E). */
struct slot {
	pte_t *pte;
	int level;
};

/*
 * What the caller of unmap, protect or split must do: invalidate [start, last] in every TLB that may hold it,
 * paging-structure caches included, and after that call space_release. There is nothing to do when leaves is 0 and
 * tables is empty. One flush can gather several operations: the range grows to span them all.
 */
struct tlb_flush {
	vaddr_t start;
	vaddr_t last;   /* address of the last byte (an end may be 2^64) */
	size_t leaves;  /* leaf entries changed; a leaf that was split is one */
	bool global;    /* one of these leaves was global */
	paddr_t tables; /* emptied tables, chained through their first entry; 0 ends the chain */
};

#define TLB_FLUSH_NONE ((struct tlb_flush){ .start = ~0ULL })

/* One leaf of a space. */
struct mapping {
	vaddr_t va; /* first byte that the leaf maps */
	paddr_t pa;
	int level;           /* 1, 2 or 3: 4 KiB, 2 MiB or 1 GiB */
	enum page_prot prot; /* effective rights: restricted by the entries above the leaf */
};

/*
 * Start an empty space: takes one frame for the PML4 and clears it.
 * Returns ERR_NO_MEMORY; `s` is then unusable.
 */
MUST_CHECK enum status space_init(struct space *s, const struct space_ops *ops, void *ctx, uintptr_t direct,
				  int max_leaf);

/*
 * Take over the tables at `root`, which somebody else has built, and count the tables below it. Cannot fail. The leaves
 * must have no bits set other than those that pte.h names, and no large leaf may have its PAT bit set: operations that
 * change a leaf would lose these bits.
 */
void space_adopt(struct space *s, paddr_t root, const struct space_ops *ops, void *ctx, uintptr_t direct, int max_leaf);

/*
 * Give the PML4 slot `index` a table that no unmap ever gives back, so that other spaces can refer to it (PTE_PINNED).
 * No effect when it is pinned already.
 * Returns ERR_NO_MEMORY; the space is then as before. Needs no flush.
 */
MUST_CHECK enum status space_pin(struct space *s, unsigned index);

/*
 * Make the PML4 slot `index`, empty until now, refer to the table of the same slot of `from`, which must be pinned
 * there. The table and all below it belong to `from`: change them through `from` only; `s` does not count these tables
 * and never gives them back. Needs no flush.
 */
void space_share(struct space *s, const struct space *from, unsigned index);

/*
 * Map `pages` consecutive 4 KiB frames from `pa` at `va`, with the largest leaves that alignment, size and max_leaf
 * allow. va, pa: page-aligned; the range stays in one canonical half, pa below 2^52.
 * Returns ERR_RANGE (bad va, pa or pages; pages == 0), ERR_RIGHTS (PROT_W with
 * PROT_X; PROT_USER in the upper half), ERR_EXISTS (any page of the range is mapped already), ERR_NO_MEMORY (no frame
 * for a table). On error nothing has changed, tables included.
 * Needs no flush: entries only go from not-present to present (Intel SDM vol. 3A, "Optional Invalidation").
 */
MUST_CHECK enum status space_map(struct space *s, vaddr_t va, paddr_t pa, size_t pages, enum page_prot prot);

/*
 * Remove every leaf of the range; holes are allowed. A large leaf that crosses an end of the range is split first.
 * Tables that become empty go to the flush.
 * Returns ERR_RANGE, or ERR_NO_MEMORY (no frame for a split); on error nothing has changed. Adds what was changed to
 * *ret_flush, which the caller has initialised with TLB_FLUSH_NONE.
 */
MUST_CHECK enum status space_unmap(struct space *s, vaddr_t va, size_t pages, struct tlb_flush *ret_flush);

/*
 * Give every leaf of the range the rights and memory type `prot`; holes are allowed. A large leaf that crosses an end
 * of the range is split first; an entry that has these rights already is not written. Adds what was changed to
 * *ret_flush.
 * Returns ERR_RANGE, ERR_RIGHTS (as space_map) or ERR_NO_MEMORY; on error nothing has changed.
 */
MUST_CHECK enum status space_protect(struct space *s, vaddr_t va, size_t pages, enum page_prot prot,
				     struct tlb_flush *ret_flush);

/*
 * Split the leaf that maps `va` until its level is `level` or below. Rights and memory stay the same.
 * Returns ERR_NOT_FOUND (nothing mapped there), ERR_RANGE (bad level, va not canonical), ERR_NO_MEMORY; on error
 * nothing has changed. The caller must do the flush here, too: a TLB must not hold entries of two page sizes for one
 * address.
 */
MUST_CHECK enum status space_split(struct space *s, vaddr_t va, int level, struct tlb_flush *ret_flush);

/*
 * Free the tables that a flush carries, or keep them as spares up to spares_max, and empty the flush. Call this only
 * when the TLBs have been flushed.
 */
void space_release(struct space *s, struct tlb_flush *flush);

/*
 * Unmap the half-open slot range [first, last) of the PML4 and free every table in it; then, when `first` is 0 and
 * `last` is 512, the root as well. Pinned slots are skipped: the tables below them stay, and may belong to another
 * space. The space must not be loaded on any CPU, and no TLB may hold its entries.
 */
void space_clear(struct space *s, unsigned first, unsigned last);

/*
 * Return the place where the walk for `va` ends: the leaf's entry, or the first entry that is not present. For a
 * non-canonical va the place is { NULL, 0 }.
 */
struct slot space_find(const struct space *s, vaddr_t va);

/*
 * Return the whole walk for `va`, from the PML4 down: fills path[0..n) and returns n (1-4; 0 when va is not canonical).
 * The last place is the one that space_find returns.
 */
int space_walk(const struct space *s, vaddr_t va, struct slot path[4]);

/* Find the leaf that maps `va`. Returns ERR_NOT_FOUND, *ret untouched, when there is none. */
MUST_CHECK enum status space_lookup(const struct space *s, vaddr_t va, struct mapping *ret);

struct space_visitor {
	/* Called for each leaf of the range, ascending. Return false to stop the visit. May be NULL. */
	bool (*leaf)(void *ctx, const struct mapping *m);
	/* Called for each table below the root, before what it holds: with its frame, the level of its entries (3-1)
	 * and the first address it spans. Return false to stop the visit. May be NULL. */
	bool (*table)(void *ctx, paddr_t pa, int level, vaddr_t va);
	void *ctx;
	/* If not NULL, called instead of `leaf`, once for each run of `count` neighbouring leaves of a table that map
	 * consecutive memory with the same bits; *m is the first of them. */
	bool (*leaves)(void *ctx, const struct mapping *m, size_t count);
};

/* Visit the tables and leaves that [va, last] reaches (last: address of the last byte). Returns false when stopped. */
bool space_visit(const struct space *s, vaddr_t va, vaddr_t last, const struct space_visitor *v);
