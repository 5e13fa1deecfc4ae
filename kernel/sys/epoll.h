/*
 * epoll(7): files that are watched together. Where poll(2) looks at all files each time, here a watched file's queue
 * puts the file's item into a ready list, so a wait costs as much as is ready, not as much as is watched.
 */
#pragma once

#include "kernel/fs/file.h"

enum epoll_events {
	EPOLLEXCLUSIVE = 1 << 28, /* accepted; all waiters are woken all the same */
	EPOLLWAKEUP = 1 << 29,
	EPOLLONESHOT = 1 << 30,
};

#define EPOLLET (1U << 31)

/* Linux's struct epoll_event, packed on x86-64. Guard: that of the structure it lies in. */
struct epoll_event {
	uint32_t events;
	uint32_t data[2]; /* the user's own */
};

_Static_assert(sizeof(struct epoll_event) == 12, "Linux's struct epoll_event");

/* Create an epoll file that watches nothing, held once. -ENOMEM. */
int epoll_create_file(struct file **ret);

/* Return whether a file is an epoll file. The functions below take only those as `epoll`. */
bool epoll_is(const struct file *file);

/*
 * Watch a file, change what it is watched for, or watch it no longer: epoll_ctl(2). A watch is known by the file and by
 * `fd`, a mere number; it ends with the file, which it does not hold. -EEXIST, -ENOENT, -EPERM (a file that is always
 * ready, as regular ones are), -ELOOP (epoll files would watch each other, or in a chain of more than five), -EINVAL
 * (the epoll file itself), -ENOMEM; nothing has changed then.
 */
int epoll_add(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_modify(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_remove(struct file *epoll, struct file *file, int fd);

/*
 * Call `put` for each file that is ready, `most` at the most; `put` returns 0, or -EFAULT to stop, and may let other
 * tasks change the epoll file. A watch that was told and is neither EPOLLET nor EPOLLONESHOT is looked at again the
 * next time. Returns how many were told; -EFAULT when not even the first could be.
 */
int epoll_collect(struct file *epoll, int most, int (*put)(void *ctx, const struct epoll_event *event), void *ctx);
