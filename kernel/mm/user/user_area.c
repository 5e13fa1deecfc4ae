/*
 * Helpers for calls that change areas: allocate areas, cut them at the ends of a range, merge them again, remove them
 * with their pages, and find a place for new ones.
 */
#include "kernel/mm/user/user_internal.h"

/* End of the addresses that the flag USER_PLACE_LOW allows, for mmap(2)'s MAP_32BIT, which means 31 bits. */
#define LOW_END (1ULL << 31)

uint64_t user_pages_between(const struct user_space *space, vaddr_t start, vaddr_t end)
{
	uint64_t pages = 0;

	for (const struct area *a = area_find_from(&space->areas, start); a && a->start < end; a = area_next(a))
		pages += user_overlap(a, start, end);
	return pages;
}

bool user_is_mapped(const struct user_space *space, vaddr_t va, uint64_t size)
{
	const vaddr_t end = va + size;

	if (end < va)
		return false;
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start <= va; a = area_next(a)) {
		if (a->end >= end)
			return true;
		va = a->end;
	}
	return size == 0;
}

void user_resident(struct user_space *space, vaddr_t va, size_t count, uint8_t *ret)
{
	context_token_t token = kernel_context_enter();

	for (size_t i = 0; i < count; i++, va += PAGE_SIZE) {
		const struct area *a = area_find(&space->areas, va);
		struct memory_object *object = a ? a->object : NULL;

		ret[i] = pte_read(space_leaf_slot(&space->context.space, va).pte).raw != 0;
		if (!ret[i] && object && object->ops->has)
			ret[i] = object->ops->has(object, a->offset + bytes_to_pages(va - a->start));
	}
	kernel_context_leave(token);
}

void user_spares_free(struct user_spares *spares)
{
	for (int i = 0; i < 2; i++)
		if (spares->area[i])
			area_free(spares->area[i]);
}

/* Allocate `count` areas for cuts. Returns OK, or ERR_NO_MEMORY with none allocated. */
static enum status get_spares(const struct user_space *space, int count, struct user_spares *ret)
{
	*ret = (struct user_spares){ { NULL, NULL } };
	/*
	 * While work on the space is done in pieces, areas are also cut at both ends of a piece, and merged again
	 * later: allow two more.
	 */
	if (count && space->areas.count + count > USER_AREAS_MAX + (space->in_pieces ? 2 : 0))
		return ERR_NO_MEMORY;
	for (int i = 0; i < count; i++) {
		ret->area[i] = area_new();
		if (!ret->area[i]) {
			user_spares_free(ret);
			return ERR_NO_MEMORY;
		}
	}
	return OK;
}

/*
 * Enter the kernel context and split the 2 MiB leaves that cross `start` or `end`. After ERR_NO_MEMORY the context has
 * been left again.
 */
static enum status enter_and_cut(struct user_space *space, vaddr_t start, vaddr_t end, context_token_t *ret_token)
{
	const context_token_t token = kernel_context_enter();
	enum status status = user_pages_cut(space, start);

	if (status == OK)
		status = user_pages_cut(space, end);
	if (status == OK)
		*ret_token = token;
	else
		kernel_context_leave(token);
	return status;
}

enum status user_prepare(struct user_space *space, vaddr_t start, vaddr_t end, struct user_spares *ret_spares,
			 bool *ret_touched, context_token_t *ret_token)
{
	struct user_spares spares;
	enum status status;
	unsigned flags = 0;
	int cuts = 0;

	for (const struct area *a = area_find_from(&space->areas, start); a && a->start < end; a = area_next(a)) {
		cuts += (a->start < start) + (a->end > end);
		flags |= a->flags;
	}
	status = get_spares(space, cuts, &spares);
	if (status != OK)
		return status;
	if (flags & AREA_TOUCHED) {
		status = enter_and_cut(space, start, end, ret_token);
		if (status != OK) {
			user_spares_free(&spares);
			return status;
		}
	}
	*ret_spares = spares;
	*ret_touched = flags & AREA_TOUCHED;
	return OK;
}

void user_cut(struct user_space *space, vaddr_t at, struct user_spares *spares)
{
	const int i = !spares->area[0];
	struct area *low, *high;

	/* user_prepare() has allocated a spare area for each cut: without spares there is nothing to cut. */
	if (!spares->area[0] && !spares->area[1])
		return;
	low = area_find(&space->areas, at);
	if (!low || low->start == at)
		return;
	high = spares->area[i];
	ASSERT(high);
	spares->area[i] = NULL;
	area_split(&space->areas, low, at, high);
	area_attach(high, space);
}

/*
 * Take an area out of the tree, drop the reference to its object and free it. The caller takes care of its pages: they
 * are unmapped afterwards, or belong to the area that takes its range over.
 */
static void forget(struct user_space *space, struct area *area)
{
	area_remove(&space->areas, area);
	area_detach(area);
	area_free(area);
}

void user_merge(struct user_space *space, vaddr_t start, vaddr_t end)
{
	struct area *a = area_find_from(&space->areas, start ? start - 1 : 0), *next;

	for (; a && a->start < end; a = next) {
		next = area_next(a);
		while (next && !(a->flags & AREA_GROWS_DOWN) && next->start <= end && area_continues(a, next)) {
			a->flags |= next->flags;
			area_join(&space->areas, a, next);
			area_detach(next);
			area_free(next);
			next = area_next(a);
		}
	}
}

/* munmap -> flush -> invalidation, step 3 of 6: areas are removed, then pages. Next: user_pages_drop, user_pages.c. */
void user_remove(struct user_space *space, vaddr_t start, vaddr_t end, struct user_spares *spares, bool touched)
{
	struct area *a = area_find_from(&space->areas, start), *below, *next;
	vaddr_t floor, ceiling;

	if (!a || a->start >= end)
		return;
	/* The commonest cases need no cut and no merge: one area loses its upper or its lower end. */
	if (a->end >= end && a->start < start && a->end == end) {
		next = area_next(a);
		user_count_fewer(space, bytes_to_pages(end - start), a->rights, a->flags);
		area_resize(a, a->start, start);
	} else if (a->start >= start && a->end > end) {
		user_count_fewer(space, bytes_to_pages(end - a->start), a->rights, a->flags);
		area_resize(a, end, a->end);
		next = a;
	} else {
		user_cut(space, start, spares);
		user_cut(space, end, spares);
		for (a = area_find_from(&space->areas, start); a && a->start < end; a = next) {
			next = area_next(a);
			user_count_fewer(space, bytes_to_pages(a->end - a->start), a->rights, a->flags);
			forget(space, a);
		}
		next = a;
	}
	if (!touched)
		return;
	below = area_prev(&space->areas, next);
	floor = below ? below->end : 0;
	ceiling = next ? next->start : USER_SIZE;
	/*
	 * A table stays if the area below or above lies in a part of its span. Mark both areas as touched, so that
	 * unmapping them looks at the tables and frees the one that stayed.
	 */
	if (below)
		below->flags |= AREA_TOUCHED;
	if (next)
		next->flags |= AREA_TOUCHED;
	user_pages_drop(space, start, end, floor, ceiling);
}

/* Return the highest address at which a mapping placed below `area` may end: a stack needs room to grow. */
static vaddr_t guarded_start(const struct area *area)
{
	const uint64_t gap = area->flags & AREA_GROWS_DOWN ? USER_GUARD_GAP : 0;

	return area->start > gap ? area->start - gap : 0;
}

/* Find the highest gap of `size` bytes below `high` that leaves stacks room to grow. Returns OK or ERR_NOT_FOUND. */
static enum status find_gap(const struct user_space *space, uint64_t size, vaddr_t high, vaddr_t *ret)
{
	vaddr_t va;

	if (!space->low_stacks)
		return area_gap_below(&space->areas, size, USER_MIN, high, ret);
	while (area_gap_below(&space->areas, size, USER_MIN, high, &va) == OK) {
		const struct area *next = area_find_from(&space->areas, va);

		if (!next || guarded_start(next) >= va + size) {
			*ret = va;
			return OK;
		}
		high = guarded_start(next);
	}
	return ERR_NOT_FOUND;
}

enum status user_find_place(const struct user_space *space, vaddr_t hint, uint64_t size, unsigned how, vaddr_t *ret)
{
	const vaddr_t top = how & USER_PLACE_LOW && space->mmap_top > LOW_END ? LOW_END : space->mmap_top;
	vaddr_t va = align_down(hint, PAGE_SIZE);

	if (va >= USER_MIN && user_range_valid(va, size) && (!(how & USER_PLACE_LOW) || va + size <= LOW_END)) {
		const struct area *a = area_find_from(&space->areas, va);

		if (!a || guarded_start(a) >= va + size) {
			*ret = va;
			return OK;
		}
	}
	/* Aligning the start may lose up to 2 MiB less a page: look for a gap that is larger by that. */
	if (how & USER_PLACE_LARGE && size <= USER_SIZE - PAGE_SIZE_2M &&
	    find_gap(space, size + PAGE_SIZE_2M - PAGE_SIZE, top, &va) == OK) {
		*ret = align_up(va, PAGE_SIZE_2M);
		return OK;
	}
	return find_gap(space, size, top, ret) == OK ? OK : ERR_NO_MEMORY;
}
