/*
 * Waiting for several files at once, for poll(2), ppoll(2), select(2), pselect6(2) and epoll_wait(2).
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/give_way.h"
#include "kernel/task/wait_until.h"

/* Linux's struct pollfd. Guard: only the calling task uses it. */
struct linux_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

_Static_assert(sizeof(struct linux_pollfd) == 8, "Linux's struct pollfd");

#define POLL_NEVER TASK_NO_DEADLINE
#define POLL_NOW   0 /* a deadline in the past: do not wait */

/*
 * Return the deadline for poll(2)'s and epoll_wait(2)'s timeout in milliseconds: POLL_NEVER for a negative timeout,
 * POLL_NOW for 0.
 */
uint64_t poll_deadline(int timeout_ms);

#define POLL_STEP 512 /* number of items after which other tasks may run */

/*
 * Let other tasks run after every POLL_STEP items. Call for each item of a loop; `i` is the index of the item. Returns
 * whether the task must end. A loop that only collects may break off then; a loop that cleans up must go on.
 */
static inline bool poll_step_on(size_t i)
{
	return i % POLL_STEP == POLL_STEP - 1 && task_give_way();
}

/* A file that is waited for. Guard: only the waiting task uses it, except `waiter`, which the queue's lock guards. */
struct poll_item {
	struct file *file; /* the caller's reference; NULL: the item never has an event */
	unsigned events;   /* the POLL… bits to wait for; POLLERR and POLLHUP are added */
	unsigned found;    /* which bits of `events`, POLLERR and POLLHUP the file has now */
	struct task_waiter waiter;
};

/*
 * Wait until at least one item has one of its events, and set each item's `found`. Returns how many items have events;
 * 0 when the deadline (by clock_monotonic_ns) has passed; -EINTR when a signal comes.
 */
int poll_wait(struct poll_item *items, size_t count, uint64_t deadline_ns);

/* Drop the references to the items' files. */
void poll_put_files(const struct poll_item *items, size_t count);

/* Return how many ns are left until the deadline. */
uint64_t poll_time_left(uint64_t deadline);

/*
 * Write the rest of a timeout to user memory (0: nowhere), for ppoll(2) and pselect6(2); as on Linux a failed copy is
 * ignored, and a timeout of 0 stays as it is. Does nothing when the call's `result` is -ERESTART_MEMORY: the call will
 * be made again, and must return before another task runs.
 */
void poll_put_rest(uint64_t to, uint64_t deadline, int64_t result);
