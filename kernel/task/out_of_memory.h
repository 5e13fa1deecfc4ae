/*
 * What happens when no frame is free: which process is killed, and when a page fault or a system call is tried again.
 * These functions let other tasks run: the caller must hold no lock.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Find memory for a page fault: first by freeing what the kernel keeps for speed (memory_trim), then by killing the
 * process with the highest score (memory_score.h), which is logged. attempt: how often this access has been tried again
 * already. Returns true when it may be tried again; false when the current process is the one that ends. Panics when
 * no process may be killed: the first one and those with an oom_score_adj of -1000 never are.
 */
bool out_of_memory(unsigned attempt);

/*
 * Find memory for a system call that returned -ENOMEM with everything undone, as out_of_memory() does. attempt: how
 * often the call has been tried again already. Returns true when it may be tried again. Returns false when the call
 * must fail: when enough is free and it failed again, when the process to kill would be the current one, or when the
 * task is to end.
 */
bool memory_for_call(unsigned attempt);

/* Free memory that the heap and the stack allocator keep for speed only. Returns how many frames are free now. */
uint64_t memory_trim(void);

/*
 * Serve a page fault of the current task by user_fault(); when there is no memory, find some by out_of_memory() and try
 * again. Returns user_fault()'s status; ERR_NO_MEMORY: the current process is the one that ends.
 */
MUST_CHECK enum status fault_serve(vaddr_t va, enum user_rights access);

/*
 * Find memory after a copy from or to user memory failed with ERR_NO_MEMORY, if need be by killing a process. Returns
 * true when the copy may be tried again; false when the current process ends. Call where other tasks may run: on the
 * way to user mode, or in a system call that has references to all that it points to.
 */
bool task_find_memory(void);
