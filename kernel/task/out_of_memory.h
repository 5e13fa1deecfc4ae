/*
 * What happens when no frame is free while a program's access to its memory is served. Called where nothing is held:
 * user_return.c.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Find memory: first what the kernel keeps for later, then by ending the process that has most of it, which a line in
 * the log tells. attempt: how often this access has been tried again already. Returns true when it may be tried again;
 * false: the current process is the one that ends.
 */
bool out_of_memory(unsigned attempt);

/*
 * Find memory, in the same way, for a system call that had none and has undone all it did. Returns true when it may be
 * tried again; false: it fails, as it does while much is free, when the current process is the one with most, and when
 * the task is to end.
 */
bool memory_for_call(unsigned attempt);

/* Free what is kept for speed only. Returns how many frames are free now. */
uint64_t memory_trim(void);

/*
 * Serve an access of the current task's as user_fault does. When there is no memory, take it from the process that has
 * most, while other tasks run. ERR_NO_MEMORY: the current process is the one that ends.
 */
MUST_CHECK enum status fault_serve(vaddr_t va, enum user_rights access);

/*
 * Find memory after a copy that failed with ERR_NO_MEMORY, if need be by ending a process, while other tasks run. For
 * the way back to user mode, and for the last step of a call that holds only what it has counted references to. Returns
 * false: the current process is the one that ends, or has to end anyway.
 */
bool task_find_memory(void);
