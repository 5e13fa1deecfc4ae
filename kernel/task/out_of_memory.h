/*
 * When frames run out while a program's access to its memory is served. Called where nothing is held: user_return.c.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * Find memory: first what the kernel keeps for later, then by ending the process with most of it, of which a line in the
 * log tells. attempt: how often this access has been tried again already. Returns true when it may be tried again; false:
 * the current process is the one that ends.
 */
bool out_of_memory(unsigned attempt);

/* Give back what is kept for speed only. Returns how many frames are free now. */
uint64_t memory_trim(void);

/*
 * Serve an access of the current task's as user_fault does, with memory from whoever has most if there is none: other tasks
 * run meanwhile. ERR_NO_MEMORY: the current process is the one that ends.
 */
MUST_CHECK enum status fault_serve(vaddr_t va, enum user_rights access);

/*
 * After a copy that failed with ERR_NO_MEMORY: find memory for what it wanted, if need be by ending a process. Other tasks
 * run meanwhile. For the way back to user mode, and for the last step of a call that holds nothing but what it has counted
 * references to. Returns false: the current process is the one that ends, or has to end anyway.
 */
bool task_find_memory(void);
