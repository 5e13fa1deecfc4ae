/*
 * Page faults that the kernel takes while it copies from or to a user's memory. Such a fault is served at once or not
 * at all: a copy never waits for memory and never lets another task run, so its caller may be in the middle of changing
 * kernel data. When there is no frame, the copy fails with ERR_NO_MEMORY, and the system call finishes with
 * -ERESTART_MEMORY (kernel/fs/errno.h). The page is remembered here; on the way back to user mode memory is freed for
 * it, and the call is made again.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Serve an access by the kernel to the user's `va`, as user_fault does. After OK the access can be tried again. Returns
 * ERR_FAULT (the user may not access that), ERR_NO_MEMORY: the page is remembered, and the current system call will
 * return through syscall_leave(), the slow path.
 */
MUST_CHECK enum status copy_fault(struct user_space *space, vaddr_t va, enum user_rights access);

/*
 * Record that a copy fails with ERR_FAULT (copy_failure): its address is not canonical or not a user's, or the page
 * cannot be mapped.
 */
void copy_fault_refused(void);

/* Return why the last failed copy on this CPU failed: ERR_FAULT or ERR_NO_MEMORY. Valid until the next copy. */
enum status copy_failure(void) __attribute__((cold));

/*
 * Get the page of `space` for which a copy found no frame, and the access, and forget both. Returns false when there is
 * none, or when the page is of another space (a copy from another process's memory); that page is forgotten, too.
 */
bool copy_shortage_take(const struct user_space *space, vaddr_t *ret_va, enum user_rights *ret_access);
