/*
 * What the files of user memory share: user_space.c (create, fork, destroy), user_map.c, user_protect.c, user_remap.c
 * (calls that change areas), user_area.c (their helpers), user_fault.c and user_pages.c (page tables and frames).
 */
#pragma once

#include "kernel/lib/likely.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/user/area_stock.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/mm/user/user_advice.h"
#include "kernel/mm/user/user_pages.h"
#include "kernel/mm/user/user_space.h"

static inline uint64_t bytes_to_pages(uint64_t bytes)
{
	return bytes / PAGE_SIZE;
}

/* Put an area that is about to enter the space's tree into its object's list, with a reference. Cannot fail. */
static inline void area_attach(struct area *area, struct user_space *space)
{
	struct memory_object *object = area->object;

	if (!object)
		return;
	object->ops->get(object);
	if (unlikely(area->flags & AREA_WRITER))
		object->ops->count_writer(object, 1);
	area->space = space;
	area->next_of_object = object->areas;
	area->link_of_object = &object->areas;
	if (area->next_of_object)
		area->next_of_object->link_of_object = &area->next_of_object;
	object->areas = area;
	if (unlikely(object_cuts))
		object_cut_area_comes(area);
}

/* Undo area_attach, for an area that is about to be freed: drop the reference to its object. */
static inline void area_detach(struct area *area)
{
	struct memory_object *object = area->object;

	if (!object)
		return;
	if (unlikely(object_cuts))
		object_cut_area_goes(area);
	*area->link_of_object = area->next_of_object;
	if (area->next_of_object)
		area->next_of_object->link_of_object = area->link_of_object;
	if (unlikely(area->flags & AREA_WRITER))
		object->ops->count_writer(object, -1);
	object->ops->put(object);
}

/* Return whether [va, va + size) is page-aligned, not empty, and of user addresses. */
static inline bool user_range_valid(vaddr_t va, uint64_t size)
{
	return is_aligned(va | size, PAGE_SIZE) && size && size <= USER_END && va <= USER_END - size;
}

/* ---- helpers: user_area.c ---- */

/*
 * Areas allocated in advance for the cuts at both ends of a range: a cut makes two areas of one. NULL: not needed, or
 * used already.
 */
struct user_spares {
	struct area *area[2];
};

/*
 * Prepare a change of [start, end), so that what follows cannot fail: allocate the areas that cuts at both ends need,
 * and split 2 MiB leaves there. *ret_touched: pages may be mapped in the range; the kernel context has been entered
 * then, and the caller leaves it with *ret_token. After ERR_NO_MEMORY nothing is allocated or entered.
 */
MUST_CHECK enum status user_prepare(struct user_space *space, vaddr_t start, vaddr_t end,
				    struct user_spares *ret_spares, bool *ret_touched, context_token_t *ret_token);

/* Cut the area around `at`, if there is one, in two, with one of the spares. Cannot fail after user_prepare. */
void user_cut(struct user_space *space, vaddr_t at, struct user_spares *spares);

/* Free the spares that were not used. */
void user_spares_free(struct user_spares *spares);

/* Merge all neighbours that are alike, from the area before `start` to the one at `end`. */
void user_merge(struct user_space *space, vaddr_t start, vaddr_t end);

/*
 * Remove all of [start, end): areas, pages, tables. Cannot fail after user_prepare, whose `touched` the caller passes
 * on. When that is true, the kernel context must be loaded.
 */
void user_remove(struct user_space *space, vaddr_t start, vaddr_t end, struct user_spares *spares, bool touched);

/* Return whether RLIMIT_DATA counts an area: as on Linux, private memory that can be written to and is no stack. */
static inline bool user_counts_as_data(unsigned rights, unsigned area_flags)
{
	return rights & USER_WRITE && !(area_flags & (AREA_SHARED | AREA_GROWS_DOWN));
}

/* Return whether the caller's limits allow `pages` more for an area with these rights and flags. */
static inline bool user_limit_allows(const struct user_space *space, uint64_t pages, unsigned rights,
				     unsigned area_flags)
{
	const struct user_limits *limits = user_limits_of_caller();

	if (pages > limits->address_pages || space->mapped_pages > limits->address_pages - pages)
		return false;
	if (unlikely(area_flags & AREA_LOCKED) && !user_lock_allows(space, pages))
		return false;
	return !user_counts_as_data(rights, area_flags) ||
	       (pages <= limits->data_pages && space->data_pages <= limits->data_pages - pages);
}

/* Add `pages`, which may be negative as a signed number, to what is counted of areas with these rights and flags. */
static inline void user_count_kind(struct user_space *space, uint64_t pages, unsigned rights, unsigned area_flags)
{
	if (unlikely(area_flags & AREA_LOCKED))
		space->locked_pages += pages;
	if (area_flags & AREA_GROWS_DOWN)
		space->stack_pages += pages;
	else if (user_counts_as_data(rights, area_flags))
		space->data_pages += pages;
	else if (rights & USER_EXEC)
		space->code_pages += pages;
}

/* Count `pages` more, or fewer, of areas with these rights and flags. */
static inline void user_count_more(struct user_space *space, uint64_t pages, unsigned rights, unsigned area_flags)
{
	space->mapped_pages += pages;
	user_count_kind(space, pages, rights, area_flags);
}

static inline void user_count_fewer(struct user_space *space, uint64_t pages, unsigned rights, unsigned area_flags)
{
	space->mapped_pages -= pages;
	user_count_kind(space, -pages, rights, area_flags);
}

/* Copy to a forked child's space the fields that say where things lie: the program's parts, the break, mmap_top. */
void user_copy_places(const struct user_space *space, struct user_space *child);

/* Return how many pages `area` has in [start, end), which it overlaps. */
static inline uint64_t user_overlap(const struct area *area, vaddr_t start, vaddr_t end)
{
	return bytes_to_pages((area->end < end ? area->end : end) - (area->start > start ? area->start : start));
}

/* Return how many pages the areas have in [start, end). */
uint64_t user_pages_between(const struct user_space *space, vaddr_t start, vaddr_t end);

enum user_place {
	USER_PLACE_LARGE = 1 << 0, /* aligned to 2 MiB if possible */
	USER_PLACE_LOW = 1 << 1,   /* below 2 GiB */
};

/*
 * Find a place for `size` bytes: at `hint` if that is free, else the highest gap; how: enum user_place. Returns OK, or
 * ERR_NO_MEMORY when there is no gap.
 */
MUST_CHECK enum status user_find_place(const struct user_space *space, vaddr_t hint, uint64_t size, unsigned how,
				       vaddr_t *ret);
