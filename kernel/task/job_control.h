/*
 * Job control: which session a terminal belongs to, which of the session's process groups is in the foreground, and
 * what happens to orphaned groups (setpgid(2), credentials(7), ioctl_tty(2)).
 */
#pragma once

#include "kernel/task/process.h"

struct tty;

/* Give `tty` job control, so that it can be a controlling terminal, and make /dev/tty work. Cannot fail. */
void job_control_add(struct tty *tty);

/*
 * Return whether the process group is orphaned: none of its processes has a parent in the session `session` and outside
 * the group. `without`, if not NULL, does not count as a process of the group, and init not as a parent. No shell would
 * continue an orphaned group, so a terminal must not stop it.
 */
bool job_control_is_orphaned(int group, int session, const struct process *without);

/*
 * If `process`, the current process, which is ending, leads a session, hang up its controlling terminal. Call after its
 * files have been closed.
 */
void job_control_end(struct process *process);

/*
 * Hang up the controlling terminal of the current process, if it has one, as if its line had gone: the leader of its
 * session gets SIGHUP and SIGCONT, no process of the session has the terminal any more, and open files of it are at
 * their end (vhangup(2)).
 */
void job_control_hang_up(void);

/*
 * Check whether the group of `process` has become orphaned: call job_control_part() when `process` has got another
 * parent in place of `parent`, and job_control_part_at_end() when `process` ends. If the group is orphaned by that and
 * has a stopped process, all its processes get SIGHUP and SIGCONT.
 */
void job_control_part(struct process *process, const struct process *parent);
void job_control_part_at_end(struct process *process);
