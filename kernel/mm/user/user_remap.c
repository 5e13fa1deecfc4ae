/*
 * mremap: an area's size and place.
 */
#include "kernel/mm/user/user_internal.h"

#define KNOWN_FLAGS (USER_REMAP_MAYMOVE | USER_REMAP_FIXED)

/* Make [start, end), the end of `area`, longer up to `new_end`, where nothing is. */
static void grow(struct user_space *space, struct area *area, vaddr_t new_end)
{
	vaddr_t end = area->end;

	area_resize(area, area->start, new_end);
	space->mapped_pages += bytes_to_pages(new_end - end);
	user_merge(space, area->start, new_end);
}

/* Whether `area`, which ends at `end`, can be extended to `new_end` where it is. */
static bool can_grow(const struct area *area, vaddr_t end, vaddr_t new_end)
{
	const struct area *next = area_next(area);

	return area->end == end && new_end <= USER_END && (!next || next->start >= new_end);
}

/* What a move needs before it can no longer fail. */
struct move {
	struct user_space *space;
	vaddr_t from;
	uint64_t size;
	vaddr_t to;
	uint64_t new_size;
	struct user_spares spares;
	struct area *node; /* of the new area */
	bool touched;
};

/* Areas, after the pages have moved. */
static void move_areas(struct move *m)
{
	struct user_space *space = m->space;
	struct area *old;

	user_cut(space, m->from, &m->spares);
	user_cut(space, m->from + m->size, &m->spares);
	old = area_find(&space->areas, m->from);
	*m->node = *old;
	object_get(m->node->object);
	m->node->start = m->to;
	m->node->end = m->to + m->new_size;
	/* Before the old one goes, which takes all tables that no area lies in. */
	area_insert(&space->areas, m->node);
	user_remove(space, m->from, m->from + m->size, &m->spares, m->touched);
	space->mapped_pages += bytes_to_pages(m->new_size);
	user_merge(space, m->to, m->to + m->new_size);
}

/* The neighbours of a place where nothing is. */
static void prune_place(struct user_space *space, vaddr_t start, vaddr_t end, struct tlb_flush *flush)
{
	const struct area *next = area_find_from(&space->areas, start), *below = area_prev(&space->areas, next);

	space_prune(&space->context.space, start, end - 1, below ? below->end : 0, next ? next->start : USER_SIZE,
		    flush);
}

static enum status move(struct move *m)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	context_token_t token;
	enum status status;

	m->node = m->space->areas.count < USER_AREAS_MAX ? area_new() : NULL;
	if (!m->node)
		return ERR_NO_MEMORY;
	status = user_prepare(m->space, m->from, m->from + m->size, &m->spares, &m->touched, &token);
	if (status != OK) {
		area_free(m->node);
		return status;
	}
	if (m->touched) {
		const uint64_t moved = m->size < m->new_size ? m->size : m->new_size;

		status = user_pages_cut(m->space, m->from + moved);
		if (status == OK)
			status = user_pages_move(m->space, m->from, m->to, moved, &flush);
		if (status != OK)
			prune_place(m->space, m->to, m->to + m->size, &flush);
		context_flush(&m->space->context, &flush);
	}
	if (status == OK)
		move_areas(m);
	else
		area_free(m->node);
	if (m->touched)
		kernel_context_leave(token);
	user_spares_free(&m->spares);
	return status;
}

/* Where a move goes to; a fixed place is made free. */
static enum status find_target(struct user_space *space, const struct area *area, struct move *m, unsigned flags)
{
	uint64_t more = m->new_size > m->size ? bytes_to_pages(m->new_size - m->size) : 0;
	uint64_t gone;

	if (!(flags & USER_REMAP_FIXED)) {
		if (!user_limit_allows(space, more))
			return ERR_NO_MEMORY;
		return user_find_place(space, 0, m->new_size, m->new_size >= PAGE_SIZE_2M && !area->object, &m->to);
	}
	gone = user_pages_between(space, m->to, m->to + m->new_size);
	if (more > gone && !user_limit_allows(space, more - gone))
		return ERR_NO_MEMORY;
	return gone ? user_unmap(space, m->to, m->new_size) : OK;
}

/* Only with MAYMOVE. */
static enum status remap_elsewhere(struct user_space *space, const struct area *area, vaddr_t va, uint64_t size,
				   uint64_t new_size, unsigned flags, vaddr_t to, vaddr_t *ret_va)
{
	struct move m = { .space = space, .from = va, .size = size, .to = to, .new_size = new_size };
	enum status status = find_target(space, area, &m, flags);

	if (status == OK)
		status = move(&m);
	if (status == OK)
		*ret_va = m.to;
	return status;
}

enum status user_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size, unsigned flags,
		       vaddr_t to, vaddr_t *ret_va)
{
	bool fixed = flags & USER_REMAP_FIXED;
	enum status status;
	struct area *area;

	if (size > USER_END || new_size > USER_END || flags & ~KNOWN_FLAGS || (fixed && !(flags & USER_REMAP_MAYMOVE)))
		return ERR_RANGE;
	size = align_up(size, PAGE_SIZE);
	new_size = align_up(new_size, PAGE_SIZE);
	if (!user_range_valid(va, size) || !new_size)
		return ERR_RANGE;
	if (fixed && (to < USER_MIN || !user_range_valid(to, new_size) || (to < va + size && va < to + new_size)))
		return ERR_RANGE;
	area = area_find(&space->areas, va);
	if (!area || area->end < va + size)
		return ERR_FAULT;
	if (fixed)
		return remap_elsewhere(space, area, va, size, new_size, flags, to, ret_va);
	if (new_size <= size) {
		status = new_size < size ? user_unmap(space, va + new_size, size - new_size) : OK;
	} else if (can_grow(area, va + size, va + new_size)) {
		status = user_limit_allows(space, bytes_to_pages(new_size - size)) ? OK : ERR_NO_MEMORY;
		if (status == OK)
			grow(space, area, va + new_size);
	} else if (flags & USER_REMAP_MAYMOVE) {
		return remap_elsewhere(space, area, va, size, new_size, flags, to, ret_va);
	} else {
		status = ERR_NO_MEMORY;
	}
	if (status == OK)
		*ret_va = va;
	return status;
}
