/*
 * Page faults that are served without the kernel lock: the first access to a page of private zeros, and the first write
 * to a private page that is mapped read-only (copy-on-write), in a process with one task, whose space nobody else uses.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Serve a fault of user mode at `va` in an open section (kernel/sync/open_section.h). Returns whether it is served. If
 * not, user_fault() is to be called with the kernel lock: others use the space, too, or the access is of another kind,
 * or memory is short; a page table that was made may stay. `space` is that of the current process, which must have no
 * other task. Call with interrupts off.
 */
MUST_CHECK bool user_fault_open(struct user_space *space, vaddr_t va, enum user_rights access);
