/*
 * Page faults in copies from and to users, see copy_fault.h.
 */
#include "kernel/mm/user/copy_fault.h"

#include "kernel/arch/percpu.h"

/*
 * What the last copy that failed lacked. Guard: own CPU, written by the task that runs; a copy fails and its system
 * call ends without another task in between.
 */
static PER_CPU struct {
	enum status failure;            /* why the last copy that stopped at a fault did */
	const struct user_space *space; /* the space whose page was wanted; NULL: none. Only compared: it may be gone */
	vaddr_t va;
	enum user_rights access;
} last = { .failure = ERR_FAULT };

enum status copy_fault(struct user_space *space, vaddr_t va, enum user_rights access)
{
	enum status status = ERR_FAULT;

	if (va < USER_END) {
		this_cpu->copying = true;
		status = user_fault(space, va, access);
		this_cpu->copying = false;
	}
	if (status == OK)
		return OK;
	per_cpu(last).failure = status == ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_FAULT;
	if (status == ERR_NO_MEMORY) {
		per_cpu(last).space = space;
		per_cpu(last).va = va;
		per_cpu(last).access = access;
		this_cpu->frame_changed = true;
	}
	return per_cpu(last).failure;
}

void copy_fault_refused(void)
{
	per_cpu(last).failure = ERR_FAULT;
}

enum status copy_failure(void)
{
	return per_cpu(last).failure;
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
