/*
 * The one way to wait. A condition is looked at, and while it does not hold the task gives the CPU away:
 *
 *   error = WAIT_UNTIL(condition, deadline_ns);    wakes for signals too
 *   error = WAIT_UNTIL_BY(clock, condition, deadline);
 *   error = WAIT_UNTIL_KILLABLE(condition);        deaf to all signals but the end: vfork's parent, execve's first task
 *
 * `condition` is an expression of the caller's, with what side effects it likes: looked at before the first sleep and after
 * each one, in the task's own context, with interrupts on and no lock held. Whoever makes it true wakes the task after that:
 * by task_wake, or by a queue that the task has joined before it waits (task_waiter_init, wait_queue_add), as many as it
 * likes. A wake-up between the look and the sleep is not lost, and one without reason does no harm. `deadline_ns`, by
 * clock_monotonic_ns and TASK_NO_DEADLINE for none, is an expression too, asked before each sleep.
 *
 * 0: the condition holds, whatever else has come. -EINTR: a signal has come, -ETIMEDOUT: the deadline has; and the condition,
 * looked at once more after that, does not hold. The waiters stay in their queues: they are the caller's to remove.
 */
#pragma once

#include "kernel/task/task.h"

/*
 * What a task puts into the queues of what it waits for.
 * Guard: the task that waits; its waiter, as of the queue.
 */
struct task_waiter {
	struct waiter waiter; /* its wake is task_wake for `task` */
	struct task *task;
};

void task_waiter_init(struct task_waiter *waiter); /* for the current task */

/*
 * What WAIT_UNTIL is made of, and for nobody else. A wake-up after task_block_prepare is not lost.
 * task_block: give the CPU away until task_wake (0), a signal to be delivered (-EINTR; unless `deadline` says otherwise), or the
 * deadline by clock_monotonic_ns (-ETIMEDOUT; TASK_NO_DEADLINE: none). Interrupts on; in the task's own context.
 */
static inline void task_block_prepare(void)
{
	task_current()->woken = false;
}

int task_block(uint64_t deadline_ns);

/* Give the CPU away as task_block() does, with a deadline by that clock. */
int task_block_by(enum timer_clock clock, uint64_t deadline_ns);

/* Give the CPU away, deaf to all but SIGKILL and the end that another task's execve(2) wants: for vfork's parent. */
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

/* Wait as WAIT_UNTIL does, in one queue, which the task joins for as long as it takes. */
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
