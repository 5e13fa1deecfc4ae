/*
 * The switch from one task's kernel stack to another's, and struct switch_frame, the saved registers at the top of the
 * stack of a task that does not run. switch.S pushes and pops the frame, kernel/task makes it for a new task, and
 * reports and debuggers read it.
 */
#pragma once

/* Offsets in struct switch_frame, which switch.S checks while it pushes. */
#define SWITCH_R15 0
#define SWITCH_R14 8
#define SWITCH_R13 16
#define SWITCH_R12 24
#define SWITCH_RBX 32
#define SWITCH_RBP 40
#define SWITCH_RIP 48

#ifndef __ASSEMBLER__

#include "paging/types.h"

struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp; /* the registers that a function must preserve (SysV ABI) */
	uint64_t rip;                          /* where the task continues when it runs again */
};

_Static_assert(offsetof(struct switch_frame, r15) == SWITCH_R15, "switch.S");
_Static_assert(offsetof(struct switch_frame, r14) == SWITCH_R14, "switch.S");
_Static_assert(offsetof(struct switch_frame, r13) == SWITCH_R13, "switch.S");
_Static_assert(offsetof(struct switch_frame, r12) == SWITCH_R12, "switch.S");
_Static_assert(offsetof(struct switch_frame, rbx) == SWITCH_RBX, "switch.S");
_Static_assert(offsetof(struct switch_frame, rbp) == SWITCH_RBP, "switch.S");
_Static_assert(offsetof(struct switch_frame, rip) == SWITCH_RIP, "switch.S");

/*
 * Leave this stack for another: push a struct switch_frame, store its address in *from, and return through the frame at
 * `to`, which an earlier call has pushed, or which kernel/task has made for a new task. Call with interrupts off.
 */
void stack_switch(uint64_t *from, uint64_t to);

#endif
