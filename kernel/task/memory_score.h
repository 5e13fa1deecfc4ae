/*
 * How much memory would come free if a process ended, as far as that is cheap to know, and what /proc tells of it.
 */
#pragma once

#include "kernel/task/process.h"

/* the most and, negated, the least value of process->memory_adjust; the least means: never end this process */
#define MEMORY_ADJUST_MOST 1000

/*
 * Return what would come free in pages: what is mapped, tables, kernel stacks, and the process's share of what is in pipes
 * and in files without a name.
 */
uint64_t memory_of_process(const struct process *process);

/* Return how good a choice the process is when memory has run out, in pages: the highest ends first. Below 0 is possible. */
int64_t memory_score(const struct process *process);

/* Return the score as /proc/PID/oom_score tells it: 0 never, 666 for a process without memory, 1333 with all of it. */
uint64_t memory_score_told(const struct process *process);
