/*
 * Page faults that the kernel takes while it copies from or to a user's memory. Such a fault is served at once or not at
 * all: a copy never waits for memory and never runs another task, so whoever copies may hold what it likes. When there is
 * no frame the copy fails with ERR_NO_MEMORY, its caller lets go of what it holds and returns -ERESTART_MEMORY
 * (kernel/fs/errno.h), and the task's way back to user mode finds memory for the page that is remembered here.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Serve an access by the kernel to the user's `va`, as user_fault does. After OK the access can be tried again.
 * Returns ERR_FAULT (the user may not do that), ERR_NO_MEMORY: the page is remembered, and the system call that runs will
 * leave by syscall_leave.
 */
MUST_CHECK enum status copy_fault(struct user_space *space, vaddr_t va, enum user_rights access);

/* A fault that is not about a page, such as that of a pointer which is not canonical, fails the copy with ERR_FAULT. */
void copy_fault_refused(void);

/* Why the last copy on this CPU that stopped at a fault did: ERR_FAULT or ERR_NO_MEMORY. Good until the next copy. */
enum status copy_failure(void) __attribute__((cold));

/*
 * The page of `space` that a copy lacked since this was last asked, and the access. False: there is none; a page of another
 * space (a look into another process's memory) is forgotten.
 */
bool copy_shortage_take(const struct user_space *space, vaddr_t *ret_va, enum user_rights *ret_access);
