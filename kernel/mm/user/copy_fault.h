/*
 * Page faults that the kernel takes while it copies from or to a user's memory. Such a fault is served at once or not
 * at all: a copy never waits for memory and never runs another task, so whoever copies may hold anything. When there is
 * no frame, the copy fails with ERR_NO_MEMORY, and its caller lets go of what it holds and returns -ERESTART_MEMORY
 * (kernel/fs/errno.h). The task's way back to user mode then finds memory for the page, which is remembered here.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Serve an access by the kernel to the user's `va`, as user_fault does. After OK the access can be tried again. Returns
 * ERR_FAULT (the user may not do that), ERR_NO_MEMORY: the page is remembered, and the current system call will leave
 * by syscall_leave.
 */
MUST_CHECK enum status copy_fault(struct user_space *space, vaddr_t va, enum user_rights access);

/*
 * Fail a copy with ERR_FAULT after a fault that is not about a page, such as that of a pointer which is not canonical.
 */
void copy_fault_refused(void);

/*
 * Return why the last copy on this CPU that stopped at a fault did: ERR_FAULT or ERR_NO_MEMORY. Good until the next
 * copy.
 */
enum status copy_failure(void) __attribute__((cold));

/*
 * Get the page of `space` that a copy lacked, and the access, and forget both. Returns false when no page was lacking;
 * a page of another space (a look into another process's memory) is forgotten.
 */
bool copy_shortage_take(const struct user_space *space, vaddr_t *ret_va, enum user_rights *ret_access);
