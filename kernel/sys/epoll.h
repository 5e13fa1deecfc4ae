/*
 * epoll(7): files that are watched together. What poll(2) looks at each time stands in lists here: a watched file's
 * queue puts its item into the ready list, so a wait costs what is ready and not what is watched.
 */
#pragma once

#include "kernel/fs/file.h"

enum epoll_events {
	EPOLLEXCLUSIVE = 1 << 28, /* heard; all waiters are woken all the same */
	EPOLLWAKEUP = 1 << 29,
	EPOLLONESHOT = 1 << 30,
};

#define EPOLLET (1U << 31)

/* Linux's struct epoll_event, packed on x86-64. Guard: as of what it is in. */
struct epoll_event {
	uint32_t events;
	uint32_t data[2]; /* the user's */
};

_Static_assert(sizeof(struct epoll_event) == 12, "Linux's struct epoll_event");

/* A new one without files. -ENOMEM. */
int epoll_create_file(struct file **ret);

/* Whether it is one. The other calls are for those that are. */
bool epoll_is(const struct file *file);

/*
 * epoll_ctl(2). `fd` is the number that the item goes by together with the file; it ends with the file, which is not
 * held. -EEXIST, -ENOENT, -EPERM (a file that is always ready, as regular ones), -ELOOP (they would watch each other,
 * or stand more than five deep), -EINVAL (itself), -ENOMEM; nothing has changed then.
 */
int epoll_add(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_modify(struct file *epoll, struct file *file, int fd, const struct epoll_event *event);
int epoll_remove(struct file *epoll, struct file *file, int fd);

/*
 * Give what is ready to `put`, `most` at the most; it returns -EFAULT or 0. What was given and is neither EPOLLET nor
 * EPOLLONESHOT is looked at again the next time. `put` may let others change the epoll file. How many; -EFAULT when not even one was put.
 */
int epoll_collect(struct file *epoll, int most, int (*put)(void *ctx, const struct epoll_event *event), void *ctx);
