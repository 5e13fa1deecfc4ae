/*
 * inotify(7): files from which programs read what was done to other files. An instance is an open file with watches and
 * a queue of events; a watch is one node that an instance watches. The calls of kernel/fs that change files tell
 * the watches by kernel/fs/notify.h.
 *
 * Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/file.h"

struct text;

/* Limits for each user (/proc/sys/fs/inotify). Guard: tasks only, which the kernel does not preempt. */
struct inotify_limits {
	uint64_t instances, watches;
	uint64_t events; /* most events in an instance's queue; an instance keeps the limit under which it was made */
};

extern struct inotify_limits inotify_limits;

/* Set the limits that depend on how much memory there is. Call once at boot. */
void inotify_init(void);

/*
 * Make an instance for the user `uid`; *ret is a reference to its file. flags: O_NONBLOCK or 0. Returns 0, -EMFILE (the
 * user has as many as inotify_limits allows), -ENOMEM.
 */
int inotify_create(uint32_t uid, unsigned flags, struct file **ret);

/* Return whether a file is an instance, as `file` of the functions below must be. */
bool inotify_is(const struct file *file);

/*
 * Watch `node` for the events of `mask` (enum inotify_bits); or change the mask of the instance's watch of that node.
 * Returns the watch's number, -EEXIST (there is a watch, and IN_MASK_CREATE), -ENOSPC (the user has as many watches as
 * inotify_limits allows), -ENOMEM.
 */
int inotify_add(struct file *file, struct node *node, uint32_t mask);

/* End a watch: IN_IGNORED is its last event. Returns 0 or -EINVAL (no such watch). */
int inotify_remove(struct file *file, int number);
