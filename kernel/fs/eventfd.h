/*
 * eventfd(2): a counter. A write adds to it; a read returns it and sets it to 0, or with EFD_SEMAPHORE returns 1
 * and takes 1 from it.
 */
#pragma once

#include "kernel/fs/file.h"

enum eventfd_flags {
	EFD_SEMAPHORE = 1, /* a read takes 1 from the counter, not all */
	EFD_NONBLOCK = O_NONBLOCK,
	EFD_CLOEXEC = O_CLOEXEC, /* for the descriptor */
};

/* Make an open file of a counter that starts at `count`; *ret is a reference to it. Returns 0 or -ENOMEM. */
int eventfd_create(uint32_t count, unsigned flags, struct file **ret);

bool eventfd_is(const struct file *file);

/*
 * Add 1 to the counter of an eventfd, and wake its readers. Unlike a write this may raise it to UINT64_MAX, where it
 * stays, and poll(2) tells POLLERR, as on Linux.
 */
void eventfd_add_one(struct file *file);
