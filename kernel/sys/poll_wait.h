/*
 * Waiting for several files at once: poll(2), ppoll(2), select(2) and pselect6(2) are made of it.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/wait_until.h"

#define POLL_NEVER TASK_NO_DEADLINE
#define POLL_NOW   0 /* a deadline that has passed: look, and do not wait */

/*
 * Return the deadline for a timeout in milliseconds, as poll(2) and epoll_wait(2) take it: POLL_NEVER for a negative
 * one.
 */
uint64_t poll_deadline(int timeout_ms);

/* A file that is waited for. Guard: the task that waits; `waiter`, the queue's lock. */
struct poll_item {
	struct file *file; /* held by the caller; NULL: this item finds nothing */
	unsigned events;   /* the POLL… bits that are waited for; POLLERR and POLLHUP always are */
	unsigned found;    /* which of them hold now */
	struct task_waiter waiter;
};

/*
 * Wait until something holds for some item. Returns for how many items; 0: the deadline (by clock_monotonic_ns) has
 * passed; -EINTR: a signal came. Each item's `found` is filled in.
 */
int poll_wait(struct poll_item *items, size_t count, uint64_t deadline_ns);
