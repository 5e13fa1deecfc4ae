/*
 * Creates, shares, forks and destroys user spaces. What changes the areas of a space is in user_map.c and the like.
 */
#include "kernel/mm/user/user_space.h"

#include "kernel/mm/heap/heap.h"
#include "kernel/mm/user/user_internal.h"
#include "kernel/sync/open_section.h"

enum status user_space_create(struct user_space **ret)
{
	struct user_space *space = kzalloc(sizeof(*space));
	context_token_t token;
	enum status status;

	if (!space)
		return ERR_NO_MEMORY;
	token = kernel_context_enter();
	status = context_create(&space->context);
	kernel_context_leave(token);
	if (status != OK) {
		kfree(space);
		return status;
	}
	/* Keep two emptied tables for reuse: a page far from all others needs one for its PTE, one for its PDE. */
	space->context.space.spares_max = 2;
	space->mmap_top = USER_MMAP_TOP;
	space->users = 1;
	wait_queue_init(&space->changes);
	*ret = space;
	return OK;
}

void user_space_get(struct user_space *space)
{
	__atomic_store_n(&space->users, space->users + 1, __ATOMIC_RELAXED);
	/*
	 * The task that had the space for itself until now may be in an open section, on another CPU: wait for its end.
	 */
	open_section_wait(space);
}

static void end_area(void *ctx, struct area *area)
{
	(void)ctx;
	area_detach(area);
	area_free(area);
}

/* Return the first area from `a` on that may have pages. */
static struct area *next_touched(struct area *a)
{
	while (a && !(a->flags & AREA_TOUCHED))
		a = area_next(a);
	return a;
}

/*
 * Unmap all pages and free their tables, area by area in ascending order, so that no empty part of a table is searched.
 * A table is freed with the last area that has pages in it, since nothing is mapped below that area any more.
 */
static void end_pages(struct user_space *space)
{
	struct area *next;

	for (struct area *a = next_touched(area_find_from(&space->areas, 0)); a; a = next) {
		next = next_touched(area_next(a));
		user_pages_end(space, a->start, a->end, 0, next ? next->start : USER_SIZE);
	}
}

void user_space_put(struct user_space *space)
{
	context_token_t token;

	ASSERT(space->users > 0);
	__atomic_store_n(&space->users, space->users - 1, __ATOMIC_RELEASE);
	if (space->users)
		return;
	ASSERT(!context_is_loaded(&space->context));
	token = kernel_context_enter();
	end_pages(space);
	ASSERT(space->resident_pages == 0);
	area_drop_all(&space->areas, end_area, NULL);
	context_destroy(&space->context);
	kernel_context_leave(token);
	kfree(space);
}

/* ---- fork ---- */

/* Make a copy of an area for the space `ctx`; what the parent has locked is not locked there. NULL: no memory. */
static struct area *copy_area(void *ctx, const struct area *area)
{
	struct area *copy = area_new();

	if (copy) {
		*copy = *area;
		copy->flags &= ~AREA_LOCKED;
		if (copy->flags & AREA_SHARED)
			copy->flags &= ~AREA_TOUCHED;
		area_attach(copy, ctx);
	}
	return copy;
}

/* Remove from the child the areas that the parent has marked AREA_LEFT_OUT; nothing is mapped in them yet. */
static void leave_out(const struct user_space *parent, struct user_space *child)
{
	for (const struct area *a = area_find_from(&parent->areas, 0); a; a = area_next(a)) {
		struct area *copy = a->flags & AREA_LEFT_OUT ? area_find(&child->areas, a->start) : NULL;

		if (!copy)
			continue;
		user_count_fewer(child, bytes_to_pages(a->end - a->start), a->rights, copy->flags);
		area_remove(&child->areas, copy);
		end_area(NULL, copy);
	}
}

/* Copy the areas, then their pages' mappings. After ERR_NO_MEMORY `child` has what was copied so far. */
static enum status copy_all(struct user_space *parent, struct user_space *child, struct tlb_flush *flush)
{
	unsigned flags = 0;

	child->mapped_pages = parent->mapped_pages;
	child->data_pages = parent->data_pages;
	child->code_pages = parent->code_pages;
	child->stack_pages = parent->stack_pages;
	if (!area_copy_all(&parent->areas, copy_area, child, &child->areas))
		return ERR_NO_MEMORY;
	for (const struct area *a = area_find_from(&parent->areas, 0); a; a = area_next(a)) {
		enum status status;

		flags |= a->flags;
		/*
		 * Copy no pages of untouched areas, which have none; of areas that the child gets as zeros or not at
		 * all; and of shared areas, whose pages the child gets from the object at its first touch.
		 */
		if ((a->flags & (AREA_TOUCHED | AREA_WIPED | AREA_LEFT_OUT | AREA_SHARED)) != AREA_TOUCHED)
			continue;
		status = user_pages_copy(parent, child, a->start, a->end, flush);
		if (status != OK)
			return status;
	}
	if (flags & AREA_LEFT_OUT)
		leave_out(parent, child);
	return OK;
}

void user_copy_places(const struct user_space *space, struct user_space *child)
{
	child->brk_start = space->brk_start;
	child->brk = space->brk;
	child->mmap_top = space->mmap_top;
	child->low_stacks = space->low_stacks;
	child->code_start = space->code_start;
	child->code_end = space->code_end;
	child->data_start = space->data_start;
	child->data_end = space->data_end;
}

enum status user_space_fork(struct user_space *space, struct user_space **ret)
{
	context_token_t token = kernel_context_enter();
	struct tlb_flush flush = TLB_FLUSH_NONE;
	struct user_space *child;
	enum status status = user_space_create(&child);

	if (status == OK) {
		status = copy_all(space, child, &flush);
		context_flush(&space->context, &flush);
		if (status != OK) {
			user_space_put(child);
		} else {
			user_copy_places(space, child);
			*ret = child;
		}
	}
	kernel_context_leave(token);
	return status;
}
