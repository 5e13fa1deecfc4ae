/*
 * Measures how much work a part of a space is, and copies a space piece by piece; see user_piece.h.
 */
#include "kernel/mm/user/user_piece.h"

#include "kernel/arch/cpu_user.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/user/user_internal.h"

/*
 * How much work a piece may be, so that it takes less than a third of a millisecond. The unit of work is to look at one
 * entry of a page table.
 */
#define PIECE_WORK 2048
#define AREA_WORK  32 /* the work that an area costs, in page-table entries */
#define RUN_WORK   32 /* the work that a page table costs in addition to its entries */

/*
 * Return where in [start, end), a range within one area, the work `*left` is used up, and lower *left by the work up to
 * there. Call in the kernel context.
 */
static vaddr_t page_piece(const struct user_space *space, vaddr_t start, vaddr_t end, size_t *left)
{
	struct space_run run;
	vaddr_t va = start;

	while (va < end && space_run(&space->context.space, va, end - 1, &run)) {
		if (run.count + RUN_WORK > *left) {
			*left = 0;
			return run.va > start ? run.va : start;
		}
		*left -= run.count + RUN_WORK;
		va = space_run_end(&run);
	}
	return end;
}

/* Do what user_piece() does, for work that does not look at the pages of areas with one of the flags `skipped`. */
static vaddr_t piece_without(const struct user_space *space, vaddr_t start, vaddr_t end, unsigned skipped)
{
	const context_token_t token = kernel_context_enter();
	size_t left = PIECE_WORK;
	vaddr_t at = end;

	for (const struct area *a = area_find_from(&space->areas, start); a && a->start < end; a = area_next(a)) {
		const vaddr_t low = a->start > start ? a->start : start, high = a->end < end ? a->end : end;

		if (left <= AREA_WORK) {
			at = low;
			break;
		}
		left -= AREA_WORK;
		if (!(a->flags & AREA_TOUCHED) || a->flags & skipped)
			continue;
		at = page_piece(space, low, high, &left);
		if (!left)
			break;
		at = end;
	}
	kernel_context_leave(token);
	return at;
}

vaddr_t user_piece(const struct user_space *space, vaddr_t start, vaddr_t end)
{
	return piece_without(space, start, end, 0);
}

static void (*pause)(void); /* lets other tasks run. Fixed after boot */

void user_set_pause(void (*of_caller)(void))
{
	pause = of_caller;
}

void user_pause(context_token_t *token)
{
	if (!pause)
		return;
	kernel_context_leave(*token);
	pause();
	*token = kernel_context_enter();
}

/* ---- fork ---- */

enum status user_fork_begin(const struct user_space *space, struct user_space **ret)
{
	enum status status = user_space_create(ret);

	if (status != OK)
		return status;
	user_copy_places(space, *ret);
	return OK;
}

vaddr_t user_fork_next(const struct user_space *space, vaddr_t start)
{
	return piece_without(space, start, USER_END, AREA_SHARED | AREA_LEFT_OUT | AREA_WIPED);
}

/* Give the child the part of an area that lies in [start, end). Returns OK or ERR_NO_MEMORY. */
static enum status copy_part(const struct area *area, struct user_space *child, vaddr_t start, vaddr_t end)
{
	struct area *last = area_prev(&child->areas, NULL), *copy;
	struct area part = *area;

	part.flags &= ~AREA_LOCKED;
	if (part.flags & AREA_SHARED)
		part.flags &= ~AREA_TOUCHED;
	if (start > area->start) {
		part.start = start;
		if (part.object)
			part.offset += bytes_to_pages(start - area->start);
	}
	if (end < area->end)
		part.end = end;
	user_count_more(child, bytes_to_pages(part.end - part.start), part.rights, part.flags);
	/*
	 * The previous piece may have ended inside the area: then extend the child's last area instead of adding one.
	 */
	if (part.start > area->start && last && area_continues(last, &part)) {
		area_resize(last, last->start, part.end);
		last->flags |= part.flags;
		return OK;
	}
	copy = area_new();
	if (!copy) {
		user_count_fewer(child, bytes_to_pages(part.end - part.start), part.rights, part.flags);
		return ERR_NO_MEMORY;
	}
	*copy = part;
	area_attach(copy, child);
	area_insert(&child->areas, copy);
	return OK;
}

/* Copy the areas of [start, end), then what they map there. Call in the kernel context. */
static enum status copy_piece(struct user_space *space, struct user_space *child, vaddr_t start, vaddr_t end,
			      struct tlb_flush *flush)
{
	for (const struct area *a = area_find_from(&space->areas, start); a && a->start < end; a = area_next(a)) {
		const vaddr_t low = a->start > start ? a->start : start, high = a->end < end ? a->end : end;
		enum status status;

		if (a->flags & AREA_LEFT_OUT)
			continue;
		status = copy_part(a, child, start, end);
		/*
		 * Copy no pages of untouched areas, which have none; of areas that the child gets as zeros; and of
		 * shared areas, whose pages the child gets from the object at its first touch.
		 */
		if (status == OK && (a->flags & (AREA_TOUCHED | AREA_WIPED | AREA_SHARED)) == AREA_TOUCHED)
			status = user_pages_copy(space, child, low, high, flush);
		if (status != OK)
			return status;
	}
	return OK;
}

enum status user_fork_piece(struct user_space *space, struct user_space *child, vaddr_t start, vaddr_t end)
{
	const context_token_t token = kernel_context_enter();
	struct tlb_flush flush = TLB_FLUSH_NONE;
	enum status status = copy_piece(space, child, start, end, &flush);

	context_flush(&space->context, &flush);
	kernel_context_leave(token);
	return status;
}

void user_fork_part(struct user_space *space, struct user_space *child, vaddr_t va)
{
	const struct area *area = area_find(&space->areas, va);
	context_token_t token;
	struct slot ours, theirs;
	paddr_t pa, copy;

	if (!area || area->flags & AREA_SHARED || !(area->rights & USER_WRITE))
		return;
	token = kernel_context_enter();
	ours = space_leaf_slot(&space->context.space, va);
	theirs = space_leaf_slot(&child->context.space, va);
	if (ours.level == 1 && theirs.level == 1 && pte_present(pte_read(ours.pte)) &&
	    pte_present(pte_read(theirs.pte)) && frame_alloc_4k(frame_cache_here(), &copy) == OK) {
		const enum page_prot prot = user_prot(area->rights, true);

		pa = pte_paddr(pte_read(ours.pte), 1);
		cpu_copy_page(user_frame_ptr(space, copy), user_frame_ptr(space, pa));
		pte_write(theirs.pte, pte_leaf(copy, prot, 1));
		user_frame_put(pa);
		/* More rights need no flush, and nobody has loaded the child's context yet. */
		if (user_frame_is_sole(pa))
			pte_write(ours.pte, pte_leaf(pa, prot, 1));
	}
	kernel_context_leave(token);
}
