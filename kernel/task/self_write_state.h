/*
 * What a task keeps while it executes an instruction elsewhere (self_write.h): a structure without functions.
 */
#pragma once

#include "paging/types.h"

/* The instruction that is executed elsewhere. Guard: the task itself. */
struct self_write {
	vaddr_t from;      /* where it lies in the program */
	vaddr_t at;        /* where it is executed, in a page of its own; 0: there is none */
	bool calls;        /* the instruction pushes the address behind it */
	bool pushes_flags; /* the instruction pushes the flags */
	bool traced;       /* the program itself had set the trap flag */
};
