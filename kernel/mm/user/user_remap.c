/*
 * mremap(2): changes an area's size, and moves the area with its pages if it cannot grow in place or a place is given.
 */
#include "kernel/mm/user/user_internal.h"
#include "kernel/mm/user/user_piece.h"

#define KNOWN_FLAGS (USER_REMAP_MAYMOVE | USER_REMAP_FIXED)

/* Extend `area` to `new_end`, where nothing is mapped. */
static void grow(struct user_space *space, struct area *area, vaddr_t new_end)
{
	vaddr_t end = area->end;

	area_resize(area, area->start, new_end);
	user_count_more(space, bytes_to_pages(new_end - end), area->rights, area->flags);
	user_merge(space, area->start, new_end);
}

/* Return whether `area`, if it ends at `end`, can be extended to `new_end` in place. */
static bool can_grow(const struct area *area, vaddr_t end, vaddr_t new_end)
{
	const struct area *next = area_next(area);

	return area->end == end && new_end <= USER_END && (!next || next->start >= new_end);
}

/* A move, with the areas that it needs allocated in advance. Addresses and sizes are in bytes. */
struct move {
	struct user_space *space;
	vaddr_t from;
	uint64_t size;
	vaddr_t to;
	uint64_t new_size;
	struct user_spares spares;
	struct area *node; /* memory for the new area */
	bool touched;
};

/* Move the area, after its pages have moved. Cannot fail. */
static void move_areas(struct move *m)
{
	struct user_space *space = m->space;
	unsigned rights, flags;
	struct area *old;

	user_cut(space, m->from, &m->spares);
	user_cut(space, m->from + m->size, &m->spares);
	old = area_find(&space->areas, m->from);
	*m->node = *old;
	rights = old->rights;
	flags = old->flags;
	m->node->start = m->to;
	m->node->end = m->to + m->new_size;
	area_attach(m->node, space);
	/* Insert the new area before removing the old one: removing frees all tables in whose span no area lies. */
	area_insert(&space->areas, m->node);
	user_remove(space, m->from, m->from + m->size, &m->spares, m->touched);
	user_count_more(space, bytes_to_pages(m->new_size), rights, flags);
	user_merge(space, m->to, m->to + m->new_size);
}

/*
 * Free the tables of [start, end), where nothing may be mapped, up to the neighbouring areas. Adds these tables to
 * `flush`.
 */
static void prune_place(struct user_space *space, vaddr_t start, vaddr_t end, struct tlb_flush *flush)
{
	const struct area *next = area_find_from(&space->areas, start), *below = area_prev(&space->areas, next);

	space_prune(&space->context.space, start, end - 1, below ? below->end : 0, next ? next->start : USER_SIZE,
		    flush);
}

/*
 * Move the pages that the old size and the new size have in common. Call in the kernel context, with its token. When
 * there is more than one piece to move, other tasks run between the pieces. If one of them touches an address of the
 * old place whose page has moved, it gets a new page there, which is unmapped with the old place. Returns ERR_NO_MEMORY
 * when memory ran out; no page has moved then.
 */
static enum status move_pages(struct move *m, context_token_t *token)
{
	const vaddr_t end = m->from + (m->size < m->new_size ? m->size : m->new_size);
	struct tlb_flush flush = TLB_FLUSH_NONE;
	enum status status = user_pages_cut(m->space, end);
	vaddr_t next;

	for (vaddr_t va = m->from; va < end && status == OK; va = next) {
		next = m->space->in_pieces ? user_piece(m->space, va, end) : end;
		status = user_pages_place(m->space, va, m->to + (va - m->from), next - va);
		if (next < end)
			user_pause(token);
	}
	if (status != OK) {
		prune_place(m->space, m->to, m->to + m->size, &flush);
		context_flush(&m->space->context, &flush);
		return status;
	}
	for (vaddr_t va = m->from; va < end; va = next) {
		next = m->space->in_pieces ? user_piece(m->space, va, end) : end;
		flush = TLB_FLUSH_NONE;
		user_pages_move(m->space, va, m->to + (va - m->from), next - va, &flush);
		context_flush(&m->space->context, &flush);
		if (next == end)
			break;
		/*
		 * Free the tables that are empty now after each piece: to free all of them at the end would take long.
		 */
		user_pages_drop(m->space, va, next, m->from, next);
		user_pause(token);
	}
	return OK;
}

/* Move pages and area: first allocate all that is needed, then move the pages, then the area. */
static enum status move(struct move *m)
{
	context_token_t token;
	enum status status;

	m->node = m->space->areas.count < USER_AREAS_MAX ? area_new() : NULL;
	if (!m->node)
		return ERR_NO_MEMORY;
	status = user_prepare(m->space, m->from, m->from + m->size, &m->spares, &m->touched, &token);
	if (status != OK)
		goto free_node;
	if (m->touched)
		status = move_pages(m, &token);
	if (status == OK)
		move_areas(m);
	if (m->touched)
		kernel_context_leave(token);
	user_spares_free(&m->spares);
	if (status == OK)
		return OK;

free_node:
	area_free(m->node);
	return status;
}

/*
 * Set m->to to the new place. With USER_REMAP_FIXED m->to is given, and what is mapped there is unmapped. Returns OK or
 * ERR_NO_MEMORY.
 */
static enum status find_target(struct move *m, const struct area *area, unsigned flags)
{
	struct user_space *space = m->space;
	uint64_t more = m->new_size > m->size ? bytes_to_pages(m->new_size - m->size) : 0;
	uint64_t gone;

	if (!(flags & USER_REMAP_FIXED)) {
		if (!user_limit_allows(space, more, area->rights, area->flags))
			return ERR_NO_MEMORY;
		return user_find_place(space, 0, m->new_size,
				       m->new_size >= PAGE_SIZE_2M && !area->object ? USER_PLACE_LARGE : 0, &m->to);
	}
	gone = user_pages_between(space, m->to, m->to + m->new_size);
	if (more > gone && !user_limit_allows(space, more - gone, area->rights, area->flags))
		return ERR_NO_MEMORY;
	return gone ? user_unmap(space, m->to, m->new_size) : OK;
}

static enum status remap_elsewhere(struct move *m, const struct area *area, unsigned flags)
{
	enum status status = find_target(m, area, flags);

	return status == OK ? move(m) : status;
}

static enum status remap_here(const struct move *m, struct area *area)
{
	if (m->new_size < m->size)
		return user_unmap(m->space, m->from + m->new_size, m->size - m->new_size);
	if (m->new_size > m->size) {
		if (!user_limit_allows(m->space, bytes_to_pages(m->new_size - m->size), area->rights, area->flags))
			return ERR_NO_MEMORY;
		grow(m->space, area, m->from + m->new_size);
	}
	return OK;
}

/* Check the arguments of mremap(2) and round both sizes up to pages. Returns OK or ERR_RANGE. */
static enum status check_request(struct move *m, unsigned flags)
{
	const uint64_t piece = m->size ? m->size : PAGE_SIZE;

	if (piece > USER_END || flags & ~KNOWN_FLAGS)
		return ERR_RANGE;
	m->size = align_up(m->size, PAGE_SIZE);
	m->new_size = align_up(m->new_size, PAGE_SIZE);
	if (!user_range_valid(m->from, align_up(piece, PAGE_SIZE)) || !m->new_size)
		return ERR_RANGE;
	if (!(flags & USER_REMAP_FIXED))
		return OK;
	if (!(flags & USER_REMAP_MAYMOVE) || m->to < USER_MIN || !user_range_valid(m->to, m->new_size))
		return ERR_RANGE;
	/* The two places must not overlap. */
	return m->to < m->from + m->size && m->from < m->to + m->new_size ? ERR_RANGE : OK;
}

enum status user_remap_check(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size, unsigned flags,
			     vaddr_t to)
{
	struct move m = { .space = space, .from = va, .size = size, .to = to, .new_size = new_size };
	enum status status = check_request(&m, flags);
	const struct area *area;

	if (status != OK)
		return status;
	area = area_find(&space->areas, va);
	if (!area || area->end < va + m.size)
		return ERR_FAULT;
	return m.new_size > USER_END ? ERR_NO_MEMORY : OK;
}

/*
 * Map a second time what `area` has from m->from on: mremap(2) of size 0. Returns OK, ERR_RANGE (not shared),
 * ERR_NO_MEMORY.
 */
static enum status map_again(struct move *m, const struct area *area, unsigned flags)
{
	const uint64_t offset = area->offset + bytes_to_pages(m->from - area->start);
	unsigned how = USER_MAP_SHARED | (area->flags & AREA_READ_ONLY ? USER_MAP_READ_ONLY : 0) |
		       (area->flags & AREA_WRITER ? USER_MAP_WRITER : 0) |
		       (area->flags & AREA_NO_EXEC ? USER_MAP_NO_EXEC : 0) |
		       (flags & USER_REMAP_FIXED ? USER_MAP_FIXED : 0);

	if (!(area->flags & AREA_SHARED))
		return ERR_RANGE;
	if (!(flags & USER_REMAP_MAYMOVE))
		return ERR_NO_MEMORY;
	return user_map(m->space, flags & USER_REMAP_FIXED ? m->to : 0, m->new_size, area->rights, how, area->object,
			offset, &m->to);
}

enum status user_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size, unsigned flags,
		       vaddr_t to, vaddr_t *ret_va)
{
	struct move m = { .space = space, .from = va, .size = size, .to = to, .new_size = new_size };
	enum status status = check_request(&m, flags);
	struct area *area;

	if (status != OK)
		return status;
	area = area_find(&space->areas, va);
	if (!area || area->end < va + m.size)
		return ERR_FAULT;
	if (m.new_size > USER_END)
		return ERR_NO_MEMORY;
	if (!m.size) {
		status = map_again(&m, area, flags);
	} else if (flags & USER_REMAP_FIXED) {
		status = remap_elsewhere(&m, area, flags);
	} else if (m.new_size <= m.size || can_grow(area, va + m.size, va + m.new_size)) {
		m.to = va;
		status = remap_here(&m, area);
	} else {
		status = flags & USER_REMAP_MAYMOVE ? remap_elsewhere(&m, area, flags) : ERR_NO_MEMORY;
	}
	if (status == OK)
		*ret_va = m.to;
	return status;
}
