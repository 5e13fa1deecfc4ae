/*
 * The mapped pages of a user space: page-table entries, frames and their reference counts. Knows nothing of areas. Call
 * everything here in the kernel context.
 *
 * A frame is one of three kinds, told apart by its reference count: a 4 KiB frame; a part of a 2 MiB frame, which has
 * one reference for each entry that maps any of it; or a frame that the allocator does not manage, which has no count.
 */
#pragma once

#include "kernel/mm/user/user_space.h"
#include "paging/layout.h"
#include "paging/leaves.h"

/* Return the direct-map pointer to the frame at `pa`. */
static inline void *user_frame_ptr(const struct user_space *space, paddr_t pa)
{
	ASSERT_KERNEL_CONTEXT();
	return (void *)(space->context.space.direct + pa.raw);
}

/*
 * Take a reference to the 4 KiB or 2 MiB frame that `pa` lies in; does nothing for an unmanaged one. Returns
 * ERR_NO_MEMORY as frame_get() does.
 */
MUST_CHECK enum status user_frame_get(paddr_t pa);

/* Drop a reference to the frame that `pa` lies in; the last one frees it. Call only after the TLB flush. */
void user_frame_put(paddr_t pa);

/*
 * Return whether a reference to `pa` is the only one, so that its holder may write to the frame. False for an unmanaged
 * frame.
 */
bool user_frame_is_sole(paddr_t pa);

/* Return the leaf `e` as a present one: a parked one (leaves.h: not present, of an area without rights) is unparked. */
static inline pte_t user_leaf(pte_t e)
{
	return pte_is_parked(e) ? pte_unpark(e) : e;
}

/*
 * Return the rights of a leaf in an area with `rights`. `writable`: a write may go to its frame, with no copy first. No
 * leaf is both writable and executable: in an area with both rights `writable` says which of them the leaf has, and
 * faults give it the other one in exchange (user_fault.c).
 */
static inline enum page_prot user_prot(unsigned rights, bool writable)
{
	if (writable && rights & USER_WRITE)
		return PROT_USER | PROT_W;
	return (enum page_prot)(PROT_USER | (rights & USER_EXEC ? PROT_X : 0));
}

/* Return whether the leaves of an area with `rights` are writable and executable by turns. */
static inline bool user_by_turns(unsigned rights)
{
	return (rights & (USER_WRITE | USER_EXEC)) == (USER_WRITE | USER_EXEC);
}

/* Add an entry that maps, or has mapped, [va, va + size) to a flush. */
static inline void user_flush_add(struct tlb_flush *flush, vaddr_t va, uint64_t size)
{
	if (va < flush->start)
		flush->start = va;
	if (va + size - 1 > flush->last)
		flush->last = va + size - 1;
	flush->leaves++;
}

/* Make leaves end at `at`: split the 2 MiB leaf around it, if there is one. After ERR_NO_MEMORY nothing has changed. */
MUST_CHECK enum status user_pages_cut(struct user_space *space, vaddr_t at);

/*
 * Unmap what is mapped in [start, end), flush, and drop the references to the frames. No leaf may cross `start` or
 * `end` (user_pages_cut). Also frees the tables that [start, end) reaches and whose span lies in [floor, ceiling):
 * nothing else may be mapped there. Cannot fail.
 */
void user_pages_drop(struct user_space *space, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling);

/* Unmap as user_pages_drop does, but without a flush: for a space that no CPU loads again. */
void user_pages_end(struct user_space *space, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling);

/*
 * Give the leaves in [start, end) the rights; no leaf may cross `start` or `end`. A private page whose frame is shared
 * stays read-only until it is written to. Adds the changed leaves to `flush`. Cannot fail.
 */
void user_pages_protect(struct user_space *space, vaddr_t start, vaddr_t end, unsigned rights, bool shared,
			struct tlb_flush *flush);

/*
 * Map in `to` what `from` maps in [start, end): copy-on-write on both sides. Adds the leaves of `from` that became
 * read-only to `flush`. Returns ERR_NO_MEMORY; a part is mapped then, and pages of `from` may have become read-only in
 * vain: the next write to such a page faults and makes it writable again.
 */
MUST_CHECK enum status user_pages_copy(struct user_space *from, struct user_space *to, vaddr_t start, vaddr_t end,
				       struct tlb_flush *flush);

/*
 * Make tables for what is mapped in [from, from + size) at `to`, where nothing is, so that it can move there. After
 * ERR_NO_MEMORY empty tables may remain at the new place.
 */
MUST_CHECK enum status user_pages_place(struct user_space *space, vaddr_t from, vaddr_t to, uint64_t size);

/*
 * Move what is mapped in [from, from + size) to `to`, for which user_pages_place() has made tables. The old place's
 * tables stay: space_prune() can take them out. Adds the old leaves to `flush`. Cannot fail.
 */
void user_pages_move(struct user_space *space, vaddr_t from, vaddr_t to, uint64_t size, struct tlb_flush *flush);
