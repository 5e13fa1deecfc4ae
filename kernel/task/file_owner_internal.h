/*
 * What file_owner.c and dir_notify.c share: file_owner.c sends signals when a file can be read or written, dir_notify.c
 * when something happens in a directory.
 */
#pragma once

#include "kernel/fs/notify.h"
#include "kernel/lib/list.h"
#include "kernel/sync/wait_queue.h"
#include "kernel/task/file_owner.h"

/*
 * What a file has once it was given an owner, a signal, O_ASYNC or F_NOTIFY: file->owner. Guard of fields that say
 * nothing else: tasks only, which the kernel does not preempt.
 */
struct file_owner {
	struct file *file; /* the file, which frees this structure when it is closed */
	struct file_watch watch;
	struct file_owner_ex who;
	/* references to what `who` names, so that nobody with the same number later gets the signals; or NULL */
	struct task *task;
	struct process *process;
	uint32_t uid, euid; /* of who set `who` */
	int signal;         /* 0: SIGIO without siginfo */
	int fd;             /* the descriptor by which O_ASYNC or F_NOTIFY was set */
	bool writable;      /* what poll said of writing when the queue was last woken */
	struct waiter waiter;
	struct link in_woken;       /* place in `woken`. Guard: woken_lock */
	struct notify_watch in_dir; /* the watch of F_NOTIFY on a directory; in use if `is_watching` */
	bool is_watching;
	bool keeps_watching; /* the watch stays after its first event (DN_MULTISHOT) */
	bool noticed;        /* the watch had an event for which no signal was sent yet */
};

/* Return the file's owner structure, a new one if it has none; NULL: no memory. */
struct file_owner *file_owner_make(struct file *file);

/* Have somebody send the owner's signal soon. Call also with the file's queue locked, and in interrupt handlers. */
void file_owner_wake(struct file_owner *owner);

/* Make the kernel task that sends signals, if there is none. Returns 0 or -ENOMEM. */
int file_owner_start_sender(void);

/* End the watch of F_NOTIFY, if there is one. */
void dir_notify_end(struct file_owner *owner);
