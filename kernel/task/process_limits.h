/*
 * Resource limits (getrlimit(2)): a process's own, whatever it shares with others.
 */
#pragma once

#include "kernel/task/process.h"

/* Return how many tasks of programs there may be at once, by the size of RAM. */
uint64_t process_tasks_most(void);

/*
 * Tell the layers below whose limits they heed; `send` is how a limit that acts does so, from interrupts too. Once, before
 * the first process.
 */
void process_limits_init(void (*send)(struct process *process, int signal));

/* Linux's first process's limits, with what the machine can do. */
void process_limits_first(struct process *process);

/* Those of `maker`, for a process that it makes. */
void process_limits_copy(struct process *process, const struct process *maker);

/* Set one, soft <= hard. */
void process_limit_set(struct process *process, enum process_limit which, struct process_rlimit limit);
