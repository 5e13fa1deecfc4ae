/*
 * Moves bytes between any user space and the caller's memory, a page at a time, through the direct map.
 */
#include "kernel/mm/user/user_foreign.h"

#include "kernel/mm/user/user_fault.h"
#include "kernel/mm/user/user_internal.h"

/* The access that a page is made ready for; REACH_FORCE: as user_foreign_force() says. */
enum reach { REACH_READ, REACH_WRITE, REACH_FORCE };

/*
 * Set *ret to the direct-map pointer to the byte at `va`, good to the end of its page while no other task runs. Returns
 * OK, ERR_FAULT, ERR_NO_MEMORY.
 */
static enum status reach(struct user_space *space, vaddr_t va, enum reach how, char **ret)
{
	const vaddr_t page = align_down(va, PAGE_SIZE);
	const struct area *area;
	struct slot slot;
	enum status status;
	pte_t e;

	if (how == REACH_FORCE)
		status = user_fault_forced(space, page);
	else
		status = user_fault_inside(space, page, how == REACH_READ ? USER_READ : USER_WRITE, &area);
	if (status != OK)
		return status == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_FAULT;
	slot = space_leaf_slot(&space->context.space, page);
	e = pte_read(slot.pte);
	if (!pte_present(e))
		return ERR_FAULT;
	*ret = (char *)user_frame_ptr(space, pte_paddr(e, slot.level)) + (va & (level_size(slot.level) - 1));
	return OK;
}

static enum status move(struct user_space *space, vaddr_t va, struct user_io *io, size_t bytes, size_t *ret_moved,
			enum reach how)
{
	const context_token_t token = kernel_context_enter();
	enum status status = OK;
	size_t done = 0;

	while (status == OK && done < bytes) {
		size_t piece = PAGE_SIZE - (va + done) % PAGE_SIZE, moved = 0;
		char *at;

		if (piece > bytes - done)
			piece = bytes - done;
		status = va + done < va ? ERR_FAULT : reach(space, va + done, how, &at);
		if (status == OK)
			status = how == REACH_READ ? user_io_put_bulk(io, at, piece, &moved)
						   : user_io_get_bulk(io, at, piece, &moved);
		done += moved;
		if (status == OK && moved < piece)
			break;
	}
	kernel_context_leave(token);
	*ret_moved = done;
	return status;
}

enum status user_foreign_get(struct user_space *space, vaddr_t va, struct user_io *to, size_t bytes, size_t *ret_moved)
{
	return move(space, va, to, bytes, ret_moved, REACH_READ);
}

enum status user_foreign_put(struct user_space *space, vaddr_t va, struct user_io *from, size_t bytes,
			     size_t *ret_moved)
{
	return move(space, va, from, bytes, ret_moved, REACH_WRITE);
}

enum status user_foreign_force(struct user_space *space, vaddr_t va, struct user_io *from, size_t bytes,
			       size_t *ret_moved)
{
	return move(space, va, from, bytes, ret_moved, REACH_FORCE);
}

/* Return whether the page at `va`, of an area with an object, is mapped, and not to the object's frame. */
static bool is_copy(struct user_space *space, const struct area *area, vaddr_t va)
{
	struct memory_object *object = area->object;
	const struct slot slot = space_leaf_slot(&space->context.space, va);
	const pte_t e = pte_read(slot.pte);
	paddr_t own, objects;

	if (!pte_present(e))
		return false;
	own = pte_paddr(e, slot.level);
	/* If the object cannot give the page, the page is not in memory, so the one that is mapped is another one. */
	if (object->ops->frame(object, area->offset + bytes_to_pages(va - area->start), &objects) != OK)
		return true;
	user_frame_put(objects);
	return own.raw != objects.raw;
}

bool user_has_copies(struct user_space *space, vaddr_t va, size_t pages)
{
	const struct area *area = area_find(&space->areas, va);
	const context_token_t token = kernel_context_enter();
	bool found = false;

	for (size_t i = 0; i < pages && !found; i++)
		found = is_copy(space, area, va + i * PAGE_SIZE);
	kernel_context_leave(token);
	return found;
}

vaddr_t user_skip_absent(struct user_space *space, vaddr_t va, vaddr_t end)
{
	context_token_t token;
	struct space_run run;
	bool found;

	if (va >= end)
		return end;
	token = kernel_context_enter();
	found = space_run(&space->context.space, va, end - 1, &run);
	kernel_context_leave(token);
	if (!found)
		return end;
	return run.va > va ? run.va : va;
}
