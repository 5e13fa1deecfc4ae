/*
 * Calls with the largest arguments, beside a neighbour that wants to run every tenth of a millisecond.
 */
#pragma once

#include <stdint.h>

#define GIB (1UL << 30)

/* Something that may keep the CPU for long; `many` is how much of it there is to be. Runs in a child of its own. */
struct stops_case {
	const char *name;
	void (*run)(unsigned long many);
	unsigned long many; /* in the short run; the long one has several times as many */
	unsigned long
		most; /* the long run has no more, since the kernel does not do more in time; 0: it does any number */
	/* how much longer than a millisecond a killed child may take: its call undoes what it has done by then */
	long undo_ns;
};

/* The cases, lists that end with a NULL name. */
extern const struct stops_case stops_cases[], stops_files[], stops_ipc[], stops_tasks[];

/* Remove the queue and the semaphores that a case of stops_ipc leaves when it is killed. */
void stops_ipc_remove(void);
