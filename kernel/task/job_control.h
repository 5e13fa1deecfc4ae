/*
 * Job control: which session a terminal belongs to, which of its groups has it, and what becomes of groups that nobody
 * watches any more (setpgid(2), credentials(7), tty_ioctl(2)).
 */
#pragma once

#include "kernel/task/process.h"

struct tty;

/* `tty` can be a controlling terminal from now on, and /dev/tty is the calling task's own one. */
void job_control_add(struct tty *tty);

/*
 * No process of the group but `without` (NULL: count all) has a parent in its session and outside the group, init aside:
 * nobody would ever continue it, so that a terminal must not stop it.
 */
bool job_control_is_orphaned(int group, int session, const struct process *without);

/* The current process has ended but for its status; its files are closed. A session's leader gives up its terminal. */
void job_control_end(struct process *process);

/*
 * `process` has lost `parent` and has another one; or it ends itself. When that orphans its group and one in it is
 * stopped, all of the group get SIGHUP and SIGCONT.
 */
void job_control_part(struct process *process, const struct process *parent);
void job_control_part_at_end(struct process *process);
