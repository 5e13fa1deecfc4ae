/*
 * Serves page faults in copies from and to user memory, and remembers why the last one failed; see copy_fault.h.
 */
#include "kernel/mm/user/copy_fault.h"

#include "kernel/arch/percpu.h"
#include "kernel/sync/open_section.h"

/*
 * Why the last copy failed, and the page that it needed. Guard: own CPU, written by the task that runs; no other task
 * runs between a copy's failure and the end of its system call.
 */
static PER_CPU struct {
	bool shortage; /* the last copy that failed lacked memory */
	/* The space of the page that got no frame; NULL: none. It may have been freed, so it is only compared. */
	const struct user_space *space;
	vaddr_t va;
	enum user_rights access;
} last;

enum status copy_fault(struct user_space *space, vaddr_t va, enum user_rights access)
{
	enum status status = ERR_FAULT;

	/* Serving needs the kernel lock, which an open section must not take: its copy fails, and is repeated later. */
	if (va < USER_END && !open_section_is_here()) {
		this_cpu->copying = true;
		status = user_fault(space, va, access);
		this_cpu->copying = false;
	}
	if (status == OK)
		return OK;
	per_cpu(last).shortage = status == ERR_NO_MEMORY;
	if (status == ERR_NO_MEMORY) {
		per_cpu(last).space = space;
		per_cpu(last).va = va;
		per_cpu(last).access = access;
		this_cpu->frame_changed = true;
	}
	return copy_failure();
}

void copy_fault_refused(void)
{
	per_cpu(last).shortage = false;
}

enum status copy_failure(void)
{
	return per_cpu(last).shortage ? ERR_NO_MEMORY : ERR_FAULT;
}

bool copy_shortage_take(const struct user_space *space, vaddr_t *ret_va, enum user_rights *ret_access)
{
	bool found = per_cpu(last).space == space;

	if (found) {
		*ret_va = per_cpu(last).va;
		*ret_access = per_cpu(last).access;
	}
	per_cpu(last).space = NULL;
	return found;
}
