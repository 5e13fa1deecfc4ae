/*
 * The one way to wait. A condition is looked at, and while it does not hold the task gives the CPU away:
 *
 *   error = WAIT_UNTIL(condition, deadline_ns); wakes for signals too
 *   error = WAIT_UNTIL_BY(clock, condition, deadline);
 *   error = WAIT_UNTIL_KILLABLE(condition); deaf to all signals but the end: vfork's parent, execve's task
 *
 * `condition` is an expression of the caller's and may have side effects. It is evaluated before the first sleep and
 * after each sleep, in the task's own context, with interrupts on and no lock held. Whoever makes it true wakes the
 * task after that: by task_wake, or by a queue that the task has joined before it waits (task_waiter_init,
 * wait_queue_add). A task may join any number of queues. A wake-up between the look and the sleep is not lost, and one
 * without a reason does no harm. `deadline_ns` is by clock_monotonic_ns, TASK_NO_DEADLINE for none; it is an expression
 * too, evaluated before each sleep.
 *
 * Returns 0: the condition holds, whatever else has come; or -EINTR: a signal has come, or -ETIMEDOUT: the deadline has
 * passed, and the condition, evaluated once more after that, does not hold. The caller's waiters stay in their queues:
 * the caller removes them.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * What a task puts into the queue of each event that it waits for.
 * Guard: the task that waits; `waiter`, the queue's lock.
 */
struct task_waiter {
	struct waiter waiter; /* its wake is task_wake for `task` */
	struct task *task;
};

void task_waiter_init(struct task_waiter *waiter); /* Make a waiter for the current task; it is in no queue yet. */

/*
 * Prepare to sleep: from here on a wake-up is not lost. Only the WAIT_… macros call this and the task_block functions.
 * task_block: give the CPU away until task_wake (0), a signal to be delivered (-EINTR), or the deadline by
 * clock_monotonic_ns (-ETIMEDOUT; TASK_NO_DEADLINE: none). Interrupts on; in the task's own context.
 */
static inline void task_block_prepare(void)
{
	task_current()->woken = false;
}

int task_block(uint64_t deadline_ns);

/* Give the CPU away as task_block() does, with a deadline by `clock`. */
int task_block_by(enum timer_clock clock, uint64_t deadline_ns);

/*
 * Give the CPU away until task_wake (0), or until the task has to end: SIGKILL, or an execve(2) of another task of its
 * process (-EINTR). Other signals do not end it.
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

/* Wait as WAIT_UNTIL does, in one queue, which the task joins while it waits. */
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
