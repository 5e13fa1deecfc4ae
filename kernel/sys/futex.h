/*
 * futex(2): queues of tasks that wait for a word of user memory. A word in memory that is shared through a memory
 * object (a file, shared anonymous memory) is identified by the object and the offset in it, any other word by its
 * user space and address. Physical addresses play no role.
 */
#pragma once

#include "kernel/task/task.h"

#define FUTEX_ANY 0xffffffffU /* all bits: FUTEX_BITSET_MATCH_ANY */

/*
 * If the word at user address `at` is `value`, wait until another task wakes that word with one of the bits in `bits`,
 * or until the deadline by `clock`. `private`: the program promises that the word is not shared with another process.
 * Returns 0, -EAGAIN (the word has another value), -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL (not aligned, no bits).
 */
int futex_wait(uint64_t at, bool private, uint32_t value, uint32_t bits, enum timer_clock clock, uint64_t deadline_ns);

/* Wake up to `most` of the tasks that wait for the word at `at`. Returns how many, or -EINVAL, -EFAULT. */
int futex_wake(uint64_t at, bool private, uint32_t most, uint32_t bits);

/*
 * Wake up to `wake` of the tasks that wait for the word at `from`, and let up to `move` of the others wait for the word
 * at `to` instead. `expected`: NULL, or the value that the word at `from` must have. Returns how many tasks were woken
 * or moved; -EAGAIN (another value), -EINVAL, -EFAULT.
 */
int futex_requeue(uint64_t from, uint64_t to, bool private, uint32_t wake, uint32_t move, const uint32_t *expected);

/*
 * Do FUTEX_WAKE_OP: change the word at `other` as the encoded operation `op` says, wake up to `wake` tasks that wait
 * for the word at `at`, and, if op's comparison of the old value holds, up to `wake_other` that wait for `other`.
 * Returns how many were woken; -ENOSYS (no such operation), -EINVAL, -EFAULT.
 */
int futex_wake_op(uint64_t at, uint64_t other, bool private, uint32_t wake, uint32_t wake_other, uint32_t op);

/*
 * Do what is due for futexes at the end of a task: release its robust mutexes, and set the word at clear_child_tid to 0
 * and wake its waiters. `task` must be the current task, with its process's page tables loaded.
 */
void futex_task_exit(struct task *task);

/*
 * Give the locks with priority inheritance that the current task still has to those who wait for them, and let no task
 * wait for it from now on. Call when the task ends, after futex_task_exit().
 */
void futex_task_end(struct task *task);
