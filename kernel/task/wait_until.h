/*
 * Waiting for a condition, in all of the kernel. The condition is evaluated, and while it is false the task sleeps:
 *
 *   error = WAIT_UNTIL(condition, deadline_ns); signals end the wait, too
 *   error = WAIT_UNTIL_BY(clock, condition, deadline);
 *   error = WAIT_UNTIL_KILLABLE(condition); only what ends the task ends the wait
 *
 * `condition` is an expression, which may have side effects. It is evaluated before the first sleep and after each
 * sleep, by the waiting task, with interrupts on and no lock held. Code that makes it true must wake the task
 * afterwards: by task_wake(), or by a queue that the task has joined before it waits (task_waiter_init,
 * wait_queue_add). A task may join any number of queues. A wake-up between the evaluation and the sleep is not lost,
 * and a wake-up without a reason only makes the condition be evaluated again. `deadline_ns` is by clock_monotonic_ns,
 * TASK_NO_DEADLINE for none; it is an expression as well, evaluated before each sleep.
 *
 * Returns 0 when the condition is true, even if a signal has come or the deadline has passed; otherwise -EINTR (a
 * signal) or -ETIMEDOUT, after one more evaluation. The caller removes its waiters from their queues.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * A waiting task's entry in a wait queue; a task that waits in several queues has one for each.
 * Guard: the task that waits; for `waiter` the queue's lock.
 */
struct task_waiter {
	struct waiter waiter; /* its `wake` wakes `task` */
	struct task *task;
};

/*
 * Return whether a waiter of the current task is the first or the last one in the queue. With this, a task that joins a
 * queue many times in a row can see that it has a waiter there already. Call with the queue's lock not held.
 */
bool task_is_at_end(struct wait_queue *queue);

void task_waiter_init(struct task_waiter *waiter); /* Initialise a waiter of the current task, which is in no queue. */

/*
 * Prepare to sleep: a task_wake() after this makes task_block() return at once. Call this and the task_block functions
 * by the WAIT_… macros only.
 */
static inline void task_block_prepare(void)
{
	task_current()->woken = false;
}

/*
 * Sleep until task_wake() (returns 0), a signal to be delivered (-EINTR), or the deadline by clock_monotonic_ns
 * (-ETIMEDOUT). Call with interrupts on, with the page tables of the task's process loaded.
 */
int task_block(uint64_t deadline_ns);

/* Sleep as task_block() does, with a deadline by `clock`. */
int task_block_by(enum timer_clock clock, uint64_t deadline_ns);

/*
 * Sleep until task_wake() (returns 0), or until the task must end (-EINTR): by a fatal signal, or an execve(2) of
 * another task of its process. Other signals do not end the sleep.
 */
int task_block_killable(void);

#define WAIT_UNTIL_AS_(condition, block)         \
	({                                       \
		int wait_error_ = 0;             \
                                                 \
		for (;;) {                       \
			task_block_prepare();    \
			if (condition) {         \
				wait_error_ = 0; \
				break;           \
			}                        \
			if (wait_error_)         \
				break;           \
			wait_error_ = (block);   \
		}                                \
		wait_error_;                     \
	})

#define WAIT_UNTIL(condition, deadline_ns)           WAIT_UNTIL_AS_(condition, task_block(deadline_ns))
#define WAIT_UNTIL_BY(clock, condition, deadline_ns) WAIT_UNTIL_AS_(condition, task_block_by((clock), (deadline_ns)))
#define WAIT_UNTIL_KILLABLE(condition)               WAIT_UNTIL_AS_(condition, task_block_killable())

/* Do WAIT_UNTIL, with a waiter of the current task in `queue` meanwhile. */
#define WAIT_IN_QUEUE(queue, condition, deadline_ns)               \
	({                                                         \
		struct task_waiter wait_waiter_;                   \
		int wait_result_;                                  \
                                                                   \
		task_waiter_init(&wait_waiter_);                   \
		wait_queue_add((queue), &wait_waiter_.waiter);     \
		wait_result_ = WAIT_UNTIL(condition, deadline_ns); \
		wait_queue_remove(&wait_waiter_.waiter);           \
		wait_result_;                                      \
	})
