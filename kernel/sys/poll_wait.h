/*
 * Waiting for several files at once: what poll(2), ppoll(2), select(2) and pselect6(2) are made of.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/wait_until.h"

#define POLL_NEVER TASK_NO_DEADLINE
#define POLL_NOW   0 /* a deadline that has passed: only look */

/* A timeout in milliseconds as poll(2) and epoll_wait(2) take it, as a deadline: a negative one is never. */
uint64_t poll_deadline(int timeout_ms);

/* Guard: the task that waits; its waiter, as of the queue. */
struct poll_item {
	struct file *file; /* held by the caller; NULL: nothing comes of it */
	unsigned events;   /* POLL… that are waited for; POLLERR and POLLHUP always are */
	unsigned found;    /* of them, what holds */
	struct task_waiter waiter;
};

/* Items for which something holds; 0: the deadline (by clock_monotonic_ns) has passed. -EINTR. */
int poll_wait(struct poll_item *items, size_t count, uint64_t deadline_ns);
