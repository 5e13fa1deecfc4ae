/*
 * Queues of tasks that wait for a word of user memory to change (futex(2)). A word that is shared through an object
 * (a file, shared anonymous memory) is known by the object and the place in it, any other by its space and address: no
 * page table is looked at.
 */
#pragma once

#include "kernel/task/task.h"

#define FUTEX_ANY 0xffffffffU /* FUTEX_BITSET_MATCH_ANY */

/*
 * Wait until somebody wakes the word at user address `at` with one of the bits `bits`, if the word is `value`.
 * `private`: the caller swears that nobody else's space has it. 0, -EAGAIN (another
 * value), -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL.
 */
int futex_wait(uint64_t at, bool private, uint32_t value, uint32_t bits, enum timer_clock clock, uint64_t deadline_ns);

/* Wake `most` of those who wait there; how many, or -EINVAL, -EFAULT. */
int futex_wake(uint64_t at, bool private, uint32_t most, uint32_t bits);

/*
 * Wake `wake` of those at `from`, and let `move` others wait at `to`; how many both were. `expected`: NULL, or what
 * the word at `from` must be (-EAGAIN). -EINVAL, -EFAULT.
 */
int futex_requeue(uint64_t from, uint64_t to, bool private, uint32_t wake, uint32_t move, const uint32_t *expected);

/* FUTEX_WAKE_OP; `op` as it is encoded there. -ENOSYS (no such op), -EINVAL, -EFAULT. */
int futex_wake_op(uint64_t at, uint64_t other, bool private, uint32_t wake, uint32_t wake_other, uint32_t op);

/* A task's end: its robust mutexes have no owner, and who waits for its end hears of it. In the task's context. */
void futex_task_exit(struct task *task);
