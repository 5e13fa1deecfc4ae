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

/* Have the lock that a task waits for, if it does, go by the priority that the task has been given by now. */
void futex_pi_new_priority(struct task *task);

/* Unlock the word, or give the lock to who waits for it. Returns 0; -EPERM (not the owner), -EINVAL, -EFAULT. */
int futex_unlock_pi(uint64_t at, bool private);
