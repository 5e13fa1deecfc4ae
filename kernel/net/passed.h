/*
 * The files that a message passes (SCM_RIGHTS): references to open files, which are in flight from the moment when the
 * message is in a queue until it is received.
 *
 * A socket in flight may be the only way to a queue, and that queue may be the only way to the socket: unix_collect.c
 * finds such circles, for which this file counts how often each socket is in flight.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/net/linux_socket.h"
#include "kernel/sync/late_work.h"

#define PASSED_IN_FLIGHT 16384 /* most files in flight at once: a search for circles then ends soon */

/* Guard: tasks only, which the kernel does not preempt. */
struct passed_files {
	struct late_work end; /* drops the references; must be the first member */
	unsigned count;       /* how many of `files` are set */
	struct file *files[]; /* counted references */
};

/* Make room for `most` files; *ret has none yet. Returns 0 or -ENOMEM. */
int passed_create(unsigned most, struct passed_files **ret);

/*
 * Drop the references and free `passed`, which may be NULL. The task does it on its way back to user mode: a file that
 * is closed may be a socket with messages that pass files, and so on without an end.
 */
void passed_drop(struct passed_files *passed);

/* Count the files as in flight, or not any more. passed_fly returns 0, or -ETOOMANYREFS with nothing changed. */
int passed_fly(struct passed_files *passed);
void passed_land(struct passed_files *passed);
