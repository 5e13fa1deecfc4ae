/*
 * Changes areas without the kernel lock; see user_open.h. The work is done by the same functions as with the lock
 * (user_map.c, user_protect.c): in an open section these take areas from the CPU's stock (area_stock.c), split no 2 MiB
 * leaf, and tell no other CPU of a flush. This file decides what may be done so: the range must be short, and its areas
 * must have no objects, since an object's list of areas leads to other spaces.
 */
#include "kernel/mm/user/user_open.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/mm/user/user_internal.h"

#define OPEN_PAGES 64 /* the most pages of a call: what it does with interrupts off takes some 2,000 instructions */

bool user_open_begin(struct user_space *space)
{
	if (!open_section_begin(space))
		return false;
	if (likely(user_space_is_alone(space)))
		return true;
	open_section_end();
	return false;
}

/*
 * Begin a section; interrupts are on before. Returns whether it has begun; end() ends it. No section begins in a space
 * with locked memory. The section itself looks for that: until it has begun, another process that shares the space may
 * lock some.
 */
static bool begin(struct user_space *space)
{
	irq_close();
	if (likely(user_open_begin(space))) {
		if (likely(!space->locks_new && !space->locked_pages))
			return true;
		open_section_end();
	}
	irq_open();
	return false;
}

static bool end(bool done)
{
	open_section_end();
	irq_open();
	return done;
}

static bool is_short(vaddr_t va, uint64_t size)
{
	return size && size <= OPEN_PAGES * PAGE_SIZE && va <= USER_END - OPEN_PAGES * PAGE_SIZE;
}

/* Return whether no area of [va, va + size) has an object, and the areas may be cut and freed in a section. */
static bool may_change(const struct user_space *space, vaddr_t va, uint64_t size)
{
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start < va + size; a = area_next(a))
		if (a->object)
			return false;
	return !area_stock_is_full();
}

bool user_map_open(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights, unsigned flags,
		   vaddr_t *ret_va)
{
	if (flags & ~(unsigned)(USER_MAP_STACK | USER_MAP_NORESERVE) || !begin(space))
		return false;
	return end(!space->low_stacks && user_map(space, va, size, rights, flags, NULL, 0, ret_va) == OK);
}

bool user_unmap_open(struct user_space *space, vaddr_t va, uint64_t size)
{
	if (!is_short(va, size) || !begin(space))
		return false;
	return end(may_change(space, va, size) && user_unmap(space, va, size) == OK);
}

bool user_protect_open(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights)
{
	if (!is_short(va, size) || !begin(space))
		return false;
	return end(may_change(space, va, size) && user_protect(space, va, size, rights) == OK);
}

bool user_dontneed_open(struct user_space *space, vaddr_t va, uint64_t size)
{
	if (!is_short(va, size) || !begin(space))
		return false;
	return end(may_change(space, va, size) && user_dontneed(space, va, size) == OK);
}

/* Return whether the break may be moved in a section: upwards, which maps no page, or downwards by little. */
static bool may_move_break(const struct user_space *space, vaddr_t brk)
{
	const vaddr_t new_end = align_up(brk, PAGE_SIZE), old_end = align_up(space->brk, PAGE_SIZE);

	return new_end >= old_end ||
	       (is_short(new_end, old_end - new_end) && may_change(space, new_end, old_end - new_end));
}

bool user_brk_open(struct user_space *space, vaddr_t brk)
{
	if (brk >= USER_END || !begin(space))
		return false;
	return end(may_move_break(space, brk) && user_brk(space, brk) == OK);
}
