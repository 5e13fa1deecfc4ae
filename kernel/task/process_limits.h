/*
 * Resource limits (getrlimit(2)). Each process has its own, whatever it shares with other processes.
 */
#pragma once

#include "kernel/task/process.h"

/* Return how many tasks of programs there may be at once, by the size of RAM. */
uint64_t process_tasks_most(void);

/*
 * Let the layers below ask for the caller's limits; `send` sends the signal of a limit that acts, from interrupts too.
 * Called once, before the first process.
 */
void process_limits_init(void (*send)(struct process *process, int signal));

/* Give the first process the limits that Linux's has, as far as the machine's memory allows. */
void process_limits_first(struct process *process);

/* Give a new process the limits of `maker`, which makes it. */
void process_limits_copy(struct process *process, const struct process *maker);

/* Set one limit of a process; limit.soft <= limit.hard. */
void process_limit_set(struct process *process, enum process_limit which, struct process_rlimit limit);

/* Note and return how many pages the process has had resident at once, at the most. */
uint64_t process_most_pages(struct process *process);
