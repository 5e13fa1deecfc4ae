/*
 * epoll(7): waiting for events of many files. poll(2) asks all files in each call; here a watched file that wakes its
 * wait queue is put into a ready list, so the cost of a wait depends on the number of ready files, not of watched ones.
 */
#pragma once

#include "kernel/fs/file.h"

enum epoll_events {
	EPOLLEXCLUSIVE = 1 << 28, /* an event wakes one of the epoll files that watch the same file with this bit */
	EPOLLWAKEUP = 1 << 29,    /* without effect: the machine does not suspend */
	EPOLLONESHOT = 1 << 30,
};

#define EPOLLET (1U << 31)

/* The bits that a watch with EPOLLEXCLUSIVE may have. */
#define EPOLL_EXCLUSIVE_OK (POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

/* Linux's struct epoll_event, packed on x86-64. Guard: the same as for the structure that contains it. */
struct epoll_event {
	uint32_t events;
	uint32_t data[2]; /* the program's data, returned to it with the event */
};

_Static_assert(sizeof(struct epoll_event) == 12, "Linux's struct epoll_event");

/* Create an epoll file that watches nothing; *ret is a reference to it. Returns 0 or -ENOMEM. */
int epoll_create_file(struct file **ret);

/* Return whether a file is an epoll file, as the argument `epoll` of the functions below must be. */
bool epoll_is(const struct file *file);

/*
 * Add a watch of a file, change its events, or remove it: epoll_ctl(2). A watch is identified by `file` and the number
 * `fd`. It has no reference to the file, and ends when the file is closed. Returns 0; or, with nothing changed,
 * -EEXIST, -ENOENT, -EPERM (a file that is always ready, such as a regular file), -ELOOP (epoll files would watch one
 * another in a circle, or in a chain of more than five), -EINVAL (the epoll file itself), -ENOMEM.
 */
int epoll_add(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_modify(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_remove(struct file *epoll, struct file *file, int fd);

/*
 * If files are still ready, wake the next task in the epoll file's queue that waits with WAIT_BYTES, since an event
 * wakes only one such task. The task that was woken calls this after epoll_collect().
 */
void epoll_pass_on(struct file *epoll);

/*
 * Take `count` reported events. Returns 0, or an error that ends the report: none was taken then. May let other tasks
 * run, which may change the epoll file.
 */
typedef int epoll_put_fn(void *ctx, const struct epoll_event *events, int count);

/*
 * Report the ready files, at most `most`: call `put` with several at a time. A collection is what one epoll_wait(2)
 * reports; it may take several calls, and reports a file once. The first call of a collection passes *number 0 and gets
 * the collection's number in it; later calls pass that number. The next collection reports a file that is still ready
 * again, unless its watch has EPOLLET or EPOLLONESHOT. Returns how many files were reported, or put's error if it fails
 * for the first.
 */
int epoll_collect(struct file *epoll, uint64_t *number, int most, epoll_put_fn *put, void *ctx);
