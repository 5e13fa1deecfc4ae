/*
 * Estimates how much memory would become free if a process ended, for the choice of the process to end when memory has
 * run out.
 */
#pragma once

#include "kernel/task/process.h"

/* The greatest value of process->memory_adjust; the least is -MEMORY_ADJUST_MOST: never kill this process. */
#define MEMORY_ADJUST_MOST 1000

/*
 * Return how many pages would become free if the process ended: mapped pages, page tables, kernel stacks, and the
 * process's share of pipes and of files without a name.
 */
uint64_t memory_of_process(const struct process *process);

/*
 * Return memory_of_process(), adjusted by process->memory_adjust; may be below 0. When memory has run out the process
 * with the highest score ends.
 */
int64_t memory_score(const struct process *process);

/* Return the score for /proc/PID/oom_score: 0 to 2000, as on Linux; a process without memory has 666. */
uint64_t memory_score_told(const struct process *process);
