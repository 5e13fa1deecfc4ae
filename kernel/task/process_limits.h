/*
 * Resource limits (getrlimit(2)). Each process has its own, whatever it shares with other processes.
 */
#pragma once

#include "kernel/task/process.h"

/* Return how many tasks of programs there are; a zombie counts as one. */
size_t process_tasks(void);

/*
 * Return or set how many tasks of programs there may be at once: kernel.threads-max, which at first depends on the size
 * of RAM. As on Linux, process_set_tasks_most returns -EINVAL for a number below 20.
 */
uint64_t process_tasks_most(void);

/*
 * Return how many processes there may be at once: kernel.threads-max once that has been set. Before, the number depends
 * on the size of RAM, and is so low that fork fails while there is still memory for the processes that exist.
 */
uint64_t process_most(void);
int process_set_tasks_most(uint64_t most);

/*
 * Give the layers below the functions by which they ask for the calling process's limits. `send` is called in
 * interrupts, to send a signal for RLIMIT_CPU or RLIMIT_RTTIME. Call once, before the first process.
 */
void process_limits_init(void (*send)(struct process *process, int signal));

/*
 * Give a new process the limits of `maker`, which both share until one is changed; or, if that is NULL, those of the
 * first process: Linux's defaults, and a number of processes that depends on the size of RAM. Returns 0, or -ENOMEM
 * with nothing done. process_limits_end drops them when the process is freed.
 */
int process_limits_begin(struct process *process, const struct process *maker);
void process_limits_end(struct process *process);

/*
 * Set one limit of a process; limit.soft must not be above limit.hard. Returns 0, or -ENOMEM with no limit changed: no
 * memory for limits of its own, if the process has shared them with others.
 */
MUST_CHECK int process_limit_set(struct process *process, enum process_limit which, struct process_rlimit limit);

/* Return the most pages that the process has had resident at once, and update process->most_pages to that. */
uint64_t process_most_pages(struct process *process);
