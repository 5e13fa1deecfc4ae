/*
 * Instructions that write to the page in which they lie. In memory that is writable and executable by turns
 * (kernel/mm/user/user_fault.c) such an instruction would fault for ever: a write takes the right to execute away, and
 * the fetch that follows takes the right to write away. So it is executed elsewhere: copied to a page of its own nearby
 * and run there alone, with the trap flag, while its own page is writable.
 */
#pragma once

#include "kernel/arch/trap.h"
#include "kernel/task/task.h"

#define INSTRUCTION_MOST 15 /* the most bytes of an instruction */

/* Return whether an instruction at `rip` may lie in the page of `va`, at least in part. */
static inline bool self_write_may_be(uint64_t rip, vaddr_t va)
{
	return (rip ^ va) < PAGE_SIZE || ((rip + INSTRUCTION_MOST - 1) ^ va) < PAGE_SIZE;
}

/*
 * Prepare the current task, whose instruction may not write to `va`, to execute it elsewhere, if the page of `va` is
 * writable and executable by turns; the caller then serves the fault. Call with interrupts on.
 * Returns OK; ERR_NOT_FOUND (that is not necessary); ERR_NO_MEMORY; ERR_FAULT (no page can be mapped near enough).
 * After an error nothing has changed.
 */
MUST_CHECK enum status self_write_begin(struct trap_frame *frame, vaddr_t va);

/*
 * Set the current task's registers to what they would be without the copy: RIP behind the original instruction, or at
 * it when it has not been executed. Call when the instruction has been executed (#DB), and before a signal's handler is
 * called, with interrupts on, while `self_write.at` of the task is not 0. Returns whether only self_write_begin() had
 * set the trap flag, so that the program must not see the #DB.
 */
bool self_write_end(struct trap_frame *frame);
