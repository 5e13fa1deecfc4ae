/*
 * Queues of tasks that wait for a word of user memory to change (futex(2)). A word that is shared through an object (a
 * file, shared anonymous memory) is known by the object and the place in it, any other word by its space and address:
 * page tables are not looked at.
 */
#pragma once

#include "kernel/task/task.h"

#define FUTEX_ANY 0xffffffffU /* all bits: FUTEX_BITSET_MATCH_ANY */

/*
 * Wait until another task wakes the word at user address `at` with one of the bits in `bits`, if the word is `value`.
 * `private`: the caller promises that no other space has the word. Returns 0, -EAGAIN (the word has another value),
 * -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL (not aligned, no bits).
 */
int futex_wait(uint64_t at, bool private, uint32_t value, uint32_t bits, enum timer_clock clock, uint64_t deadline_ns);

/* Wake up to `most` of the tasks that wait for the word at `at`. Returns how many, or -EINVAL, -EFAULT. */
int futex_wake(uint64_t at, bool private, uint32_t most, uint32_t bits);

/*
 * Wake up to `wake` of the tasks that wait for the word at `from`, and let up to `move` of the rest wait for that at
 * `to`. `expected`: NULL, or what the word at `from` must be (-EAGAIN). Returns how many were woken or moved; -EINVAL,
 * -EFAULT.
 */
int futex_requeue(uint64_t from, uint64_t to, bool private, uint32_t wake, uint32_t move, const uint32_t *expected);

/*
 * Change the word at `other` and wake tasks that wait for it or the word at `at`: FUTEX_WAKE_OP, with `op` as that
 * encodes it. Returns how many were woken; -ENOSYS (no such operation), -EINVAL, -EFAULT.
 */
int futex_wake_op(uint64_t at, uint64_t other, bool private, uint32_t wake, uint32_t wake_other, uint32_t op);

/*
 * Let go of a task's futexes when it ends: its robust mutexes are marked as without owner, and clear_child_tid is set
 * to 0 and woken. In the context of the task, which is the current one.
 */
void futex_task_exit(struct task *task);
