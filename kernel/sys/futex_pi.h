/*
 * Futexes that are locks with priority inheritance (futex(2), FUTEX_LOCK_PI): while real-time tasks wait for a lock its
 * owner has the highest of their priorities. The word is 0 or has its owner's tid; a program locks and unlocks without
 * a call as long as nobody waits.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * Lock the word at user address `at`, and wait for that until the deadline by `clock`. Returns 0; -ETIMEDOUT, -EINTR,
 * -EDEADLK (the task has the lock, or waits for itself by way of others), -ESRCH (the owner has ended), -EPERM (the
 * owner is no program's task), -EINVAL (the word is not one of such a lock, or not aligned), -EFAULT, -ENOMEM.
 * futex_trylock_pi() does not wait: -EAGAIN.
 */
int futex_lock_pi(uint64_t at, bool private, enum timer_clock clock, uint64_t deadline_ns);
int futex_trylock_pi(uint64_t at, bool private);

/*
 * If a task waits for a lock, give it the place among the waiters that its priority now demands, and pass that priority
 * on to the lock's owner. Call when the task's priority has changed.
 */
void futex_pi_new_priority(struct task *task);

/*
 * Unlock the word, or give the lock to the first task that waits for it. Returns 0; -EPERM (the current task is not the
 * owner), -EINVAL, -EFAULT, or -EINTR: the task must end.
 */
int futex_unlock_pi(uint64_t at, bool private);
