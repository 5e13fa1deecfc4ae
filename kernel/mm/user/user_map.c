/*
 * Calls that make and remove areas: mmap, munmap, brk.
 */
#include "kernel/mm/user/user_internal.h"

#define FIXED (USER_MAP_FIXED | USER_MAP_FIXED_NOREPLACE)

/* Check that an area may have these rights. Returns OK or ERR_RIGHTS. */
static enum status rights_status(unsigned rights, bool shared, const struct memory_object *object)
{
	if ((rights & USER_WRITE) && shared && object && !object->ops->write_frame)
		return ERR_RIGHTS;
	return OK;
}

/*
 * If the area below or above continues `new` or is continued by it (area_continues), extend that neighbour over the
 * range of `new`; if both do, merge both. `new` is not in the tree. Returns false when neither does.
 */
static bool absorb(struct user_space *space, const struct area *new)
{
	struct area *high = area_find_from(&space->areas, new->start);
	struct area *low = area_prev(&space->areas, high);
	bool below = low && !(new->flags &AREA_GROWS_DOWN) && area_continues(low, new);
	bool above = high && !(new->flags &AREA_GROWS_DOWN) && area_continues(new, high);

	if (below) {
		area_resize(low, low->start, new->end);
		if (above)
			user_merge(space, new->start, new->end);
	} else if (above) {
		area_resize(high, new->start, high->end);
	}
	return below || above;
}

/*
 * Add the area that `new` describes; its range must be free. Takes a reference to its object. `node`: memory for the
 * area, used or freed here; NULL: allocate it. Returns OK; ERR_NO_MEMORY only if `node` is NULL.
 */
static enum status add(struct user_space *space, const struct area *new, struct area *node)
{
	/* A neighbour that absorbs the area has a reference to the object already. */
	if (absorb(space, new)) {
		if (node)
			area_free(node);
	} else {
		if (!node && space->areas.count < USER_AREAS_MAX)
			node = area_new();
		if (!node)
			return ERR_NO_MEMORY;
		*node = *new;
		area_attach(node, space);
		area_insert(&space->areas, node);
	}
	user_count_more(space, bytes_to_pages(new->end - new->start), new->rights, new->flags);
	return OK;
}

/* Add the area that `new` describes, and unmap whatever is mapped there. After ERR_NO_MEMORY nothing has changed. */
static enum status replace(struct user_space *space, const struct area *new)
{
	uint64_t gone = user_pages_between(space, new->start, new->end);
	uint64_t pages = bytes_to_pages(new->end - new->start);
	struct user_spares spares;
	context_token_t token;
	enum status status;
	struct area *node;
	bool touched;

	if (pages > gone && !user_limit_allows(space, pages - gone, new->rights, new->flags))
		return ERR_NO_MEMORY;
	node = space->areas.count < USER_AREAS_MAX ? area_new() : NULL;
	if (!node)
		return ERR_NO_MEMORY;
	status = user_prepare(space, new->start, new->end, &spares, &touched, &token);
	if (status != OK) {
		area_free(node);
		return status;
	}
	user_remove(space, new->start, new->end, &spares, touched);
	if (touched)
		kernel_context_leave(token);
	user_spares_free(&spares);
	status = add(space, new, node);
	ASSERT(status == OK);
	return OK;
}

static enum status map_area(struct user_space *space, const struct area *new, unsigned flags)
{
	const struct area *there;

	if (flags & FIXED) {
		there = area_find_from(&space->areas, new->start);
		if (there && there->start < new->end)
			return flags & USER_MAP_FIXED_NOREPLACE ? ERR_EXISTS : replace(space, new);
	}
	if (!user_limit_allows(space, bytes_to_pages(new->end - new->start), new->rights, new->flags))
		return ERR_NO_MEMORY;
	return add(space, new, NULL);
}

enum status user_map(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights, unsigned flags,
		     struct memory_object *object, uint64_t offset, vaddr_t *ret_va)
{
	bool shared = flags & USER_MAP_SHARED, made = false;
	enum status status = rights_status(rights, shared, object);
	struct area new = { .rights = rights, .object = object, .offset = object ? offset : 0 };

	if (status != OK)
		return status;
	if (size == 0 || size > USER_END || offset > (1ULL << 52) - bytes_to_pages(USER_END))
		return ERR_RANGE;
	size = align_up(size, PAGE_SIZE);
	if (flags & FIXED) {
		if (va < USER_MIN || !user_range_valid(va, size))
			return ERR_RANGE;
	} else {
		status = user_find_place(space, va, size,
					 (size >= PAGE_SIZE_2M && !object ? USER_PLACE_LARGE : 0) |
						 (flags & USER_MAP_LOW ? USER_PLACE_LOW : 0),
					 &va);
		if (status != OK)
			return status;
	}
	if (shared && !object) {
		status = shared_memory_create(bytes_to_pages(size), &new.object);
		if (status != OK)
			return status;
		made = true;
	}
	new.start = va;
	new.end = va + size;
	new.flags = (shared ? AREA_SHARED : 0) | (flags & USER_MAP_GROWS_DOWN ? AREA_GROWS_DOWN : 0) |
		    (flags & USER_MAP_STACK ? AREA_SMALL : 0) | (flags & USER_MAP_READ_ONLY ? AREA_READ_ONLY : 0) |
		    (flags & USER_MAP_WRITER ? AREA_WRITER : 0) | (flags & USER_MAP_NO_EXEC ? AREA_NO_EXEC : 0) |
		    (flags & USER_MAP_LOCKED || space->locks_new ? AREA_LOCKED : 0);
	if (flags & USER_MAP_GROWS_DOWN && va < space->mmap_top + USER_GUARD_GAP)
		space->low_stacks = true;
	status = map_area(space, &new, flags);
	if (made)
		new.object->ops->put(new.object);
	if (status != OK)
		return status;
	if (flags & USER_MAP_POPULATE && rights != USER_NONE)
		(void)!user_populate_all(space, va, size, rights & USER_WRITE ? USER_WRITE : USER_READ);
	*ret_va = va;
	return OK;
}

/*
 * munmap -> flush -> invalidation, step 2 of 6: user_prepare enters the kernel context for all that follows. Next:
 * user_remove, user_area.c.
 */
enum status user_unmap(struct user_space *space, vaddr_t va, uint64_t size)
{
	struct user_spares spares;
	context_token_t token;
	enum status status;
	bool touched;

	size = size <= USER_END ? align_up(size, PAGE_SIZE) : 0;
	if (!user_range_valid(va, size))
		return ERR_RANGE;
	area_stock_settle();
	status = user_prepare(space, va, va + size, &spares, &touched, &token);
	if (status != OK)
		return status;
	user_remove(space, va, va + size, &spares, touched);
	if (touched)
		kernel_context_leave(token);
	user_spares_free(&spares);
	return OK;
}

enum status user_brk(struct user_space *space, vaddr_t brk)
{
	vaddr_t old_end = align_up(space->brk, PAGE_SIZE), end, at;
	enum status status = OK;

	if (!space->brk_start || brk < space->brk_start || brk > USER_END ||
	    bytes_to_pages(brk - space->brk_start) > user_limits_of_caller()->brk_pages)
		return ERR_NO_MEMORY;
	end = align_up(brk, PAGE_SIZE);
	if (end > old_end)
		status = user_map(space, old_end, end - old_end, USER_READ | USER_WRITE, USER_MAP_FIXED_NOREPLACE, NULL,
				  0, &at);
	else if (end < old_end)
		status = user_unmap(space, end, old_end - end);
	if (status != OK)
		return ERR_NO_MEMORY;
	space->brk = brk;
	return OK;
}
