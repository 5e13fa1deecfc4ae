/*
 * Signals from files: who gets SIGIO, or the signal of F_SETSIG, when a file with O_ASYNC may be read or written
 * (fcntl(2), "Managing signals"). Pipes, sockets, terminals and inotify's files send such signals.
 *
 * A file's wait queue may be woken by interrupt handlers, under locks that forbid to send signals: the owner is put
 * into a list then, and the signal is sent by the task that was at work, on its way back to user mode, or by a kernel
 * task, whichever comes first.
 *
 * Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/fs/file.h"
#include "kernel/task/signal_state.h"

enum file_owner_type {
	FILE_OWNER_TASK,
	FILE_OWNER_PROCESS,
	FILE_OWNER_GROUP
}; /* F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP */

/* Linux's struct f_owner_ex. */
struct file_owner_ex {
	int32_t type; /* enum file_owner_type */
	int32_t id;   /* 0: nobody */
};

/*
 * Set who gets the file's signals, with the current task's user IDs as those of the sender. Returns 0, -EINVAL (the
 * type), -ESRCH (nobody has that number), -ENOMEM.
 */
int file_owner_set(struct file *file, struct file_owner_ex owner);

/* Return who gets the file's signals; id 0: nobody, or whoever got them has ended. */
struct file_owner_ex file_owner_get(const struct file *file);

/* Store in `ret` the real and the effective user ID that file_owner_set() has noted; zeros before. */
void file_owner_uids(const struct file *file, uint32_t ret[2]);

/* Set or get which signal is sent; 0: SIGIO, without siginfo. Returns 0, -EINVAL or -ENOMEM. */
int file_owner_set_signal(struct file *file, uint64_t signal);
int file_owner_signal(const struct file *file);

/* Return whether files of this kind can send signals. */
bool file_owner_is_possible(struct file *file);

/*
 * Begin or end to send signals of a file for which that is possible, and set or clear O_ASYNC. fd: the descriptor for
 * siginfo. Returns 0 or -ENOMEM.
 */
int file_owner_begin(struct file *file, int fd);
void file_owner_end(struct file *file);

/* Return whether a siginfo is of a signal from a file, so that info->poll is set. */
bool file_owner_sent(const struct signal_info *info);
