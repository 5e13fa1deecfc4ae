/*
 * Job control: which session a terminal belongs to, which of the session's groups is in the terminal's foreground, and
 * what becomes of groups that no shell watches any more (setpgid(2), credentials(7), tty_ioctl(2)).
 */
#pragma once

#include "kernel/task/process.h"

struct tty;

/* Let `tty` be a controlling terminal, and let /dev/tty be the calling task's controlling terminal. Cannot fail. */
void job_control_add(struct tty *tty);

/*
 * Return whether the group is orphaned: no process of it, other than `without` (NULL: count all), has a parent in the
 * session `session` and outside the group (init does not count). Nobody would ever continue an orphaned group, so a
 * terminal must not stop it.
 */
bool job_control_is_orphaned(int group, int session, const struct process *without);

/* Give up the terminal of a session whose leader, the current process, ends. Called when its files are closed. */
void job_control_end(struct process *process);

/*
 * Tell a group that it has become orphaned: when `process` has lost `parent` (and has another parent now), or, at_end,
 * when `process` itself ends. If its group is orphaned by that and has a stopped process, all of the group get SIGHUP
 * and SIGCONT.
 */
void job_control_part(struct process *process, const struct process *parent);
void job_control_part_at_end(struct process *process);
