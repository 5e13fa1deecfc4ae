/*
 * The files that a message passes (SCM_RIGHTS): references to open files, which are in flight from the moment when the
 * message is in a queue until it is received.
 *
 * A file in flight may itself be a socket with a queue. Two sockets whose only references are in messages of each
 * other's queues could never be received or closed: unix_collect.c finds such circles, for which the functions here
 * count how many times each socket is in flight.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/net/linux_socket.h"
#include "kernel/sync/late_work.h"

#define PASSED_IN_FLIGHT 16384 /* most files in flight at once, which bounds the work of a search for circles */

/* The files that one message passes. Guard: tasks only, which the kernel does not preempt. */
struct passed_files {
	struct late_work end; /* drops the references; must be the first member */
	unsigned count;       /* how many of `files` are set */
	struct file *files[]; /* counted references */
};

/* Make *ret, which has room for `most` files and none yet. Returns 0 or -ENOMEM. */
int passed_create(unsigned most, struct passed_files **ret);

/*
 * Drop the references and free `passed`, which may be NULL. The calling task does so on its way back to user mode, not
 * at once: a file that is closed may be a socket whose messages pass files, and so on, which would be a deep recursion.
 */
void passed_drop(struct passed_files *passed);

/*
 * Count the files as in flight (fly), or not any more (land). passed_fly returns 0, or -ETOOMANYREFS with nothing
 * changed when there would be more than PASSED_IN_FLIGHT.
 */
int passed_fly(struct passed_files *passed);
void passed_land(struct passed_files *passed);

/*
 * Tell a search for circles (unix_collect.c) that a program may get these files, though they stay in flight (MSG_PEEK).
 */
void passed_touch(const struct passed_files *passed);
