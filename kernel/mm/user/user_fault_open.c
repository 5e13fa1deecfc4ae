/*
 * Serves page faults without the kernel lock; see user_fault_open.h. Refuses pages of objects, which lead to other
 * spaces; a stack that has to grow, which changes an area; and 2 MiB at once, which take too long to clear with
 * interrupts off.
 */
#include "kernel/mm/user/user_fault_open.h"

#include "kernel/mm/user/user_fault.h"
#include "kernel/mm/user/user_open.h"
#include "kernel/sync/open_section.h"

static bool serve(struct user_space *space, vaddr_t va, enum user_rights access)
{
	struct area *area = area_find_from(&space->areas, va);
	context_token_t token;
	enum status status;

	if (!area || area->start > va || !user_allows(area, access))
		return false;
	token = kernel_context_enter();
	status = user_fault_short(space, align_down(va, PAGE_SIZE), access, area);
	kernel_context_leave(token);
	if (status != OK)
		return false;
	space->faults++;
	return true;
}

bool user_fault_open(struct user_space *space, vaddr_t va, enum user_rights access)
{
	bool served;

	if (!user_open_begin(space))
		return false;
	served = serve(space, va, access);
	open_section_end();
	return served;
}
