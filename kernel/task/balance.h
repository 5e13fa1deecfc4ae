/*
 * Decides which CPU runs a task. A task that becomes ready goes to the CPU that ran it last if that is idle, or else to
 * an idle
 * one. A CPU that would idle takes a task that waits for another one. When a turn ends and a task still waits, it goes
 * to an idle CPU, or, so that all get fair shares of all CPUs, to one with less to do: with N + 1 busy tasks on N CPUs
 * the task that waits moves on at the end of each turn, and each task waits as often as the others.
 *
 * No function here looks at more than a fixed number of tasks and of other CPUs' queues, however many there are. A task
 * or a CPU that a search misses is found at the end of a later turn, when the next search begins where the last ended.
 *
 * The caller of each function but balance_start() holds task_lock.
 */
#pragma once

#include "kernel/task/run_queues.h"

/*
 * The CPUs that tasks are spread over: all but those of isolcpus=, which run only tasks that may run on no other CPU.
 * Fixed after boot
 */
extern struct cpu_set shared_cpus;

/* Return the CPU that is to run a task that has become ready, and count it as busy. */
struct percpu *balance_choose(const struct task *task);

/*
 * Complete a CPU's choice of its next task. to: the task that its own queue had; if that is NULL, take a task that
 * waits for another CPU, and remove it from that CPU's queue. Returns the task; NULL: none was found, and the CPU now
 * counts as idle.
 */
struct task *balance_take(struct cpu_queues *cpu, struct task *to);

/* Count all CPUs but this one, which have just been started, as idle. */
void balance_start(void);

/*
 * At the end of a turn at `now` on a CPU for which tasks wait: move one of them to a CPU that is idle or has less to
 * do. Returns whether one was moved.
 */
bool balance_turn_over(struct cpu_queues *from, uint64_t now);
