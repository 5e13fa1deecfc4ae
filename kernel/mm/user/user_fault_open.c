/*
 * Serves page faults without the kernel lock; see user_fault_open.h. Only the first access to a page of zeros is served
 * here: an entry that was absent becomes present, so nothing is flushed, and no memory is freed. Pages of objects lead
 * to other spaces; copy-on-write flushes; a stack that grows changes areas; and 2 MiB take too long to clear with
 * interrupts off.
 */
#include "kernel/mm/user/user_fault_open.h"

#include "kernel/mm/user/user_fault.h"
#include "kernel/sync/open_section.h"

/*
 * Return whether only the current process uses the space. user_space_get() adds a user and then waits for the end of
 * sections: so the answer holds until the section ends.
 */
static bool is_alone(const struct user_space *space)
{
	return __atomic_load_n(&space->users, __ATOMIC_ACQUIRE) == 1 && !space->in_pieces;
}

static bool serve(struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct area *area = area_find_from(&space->areas, va);
	context_token_t token;
	enum status status;

	if (!area || area->start > va || area->object || !user_allows(area, access))
		return false;
	token = kernel_context_enter();
	status = user_fault_zeros(space, align_down(va, PAGE_SIZE), access, area);
	kernel_context_leave(token);
	if (status != OK)
		return false;
	space->faults++;
	return true;
}

bool user_fault_open(struct user_space *space, vaddr_t va, enum user_rights access)
{
	bool served;

	if (!open_section_begin(space))
		return false;
	served = is_alone(space) && serve(space, va, access);
	open_section_end();
	return served;
}
