/*
 * The rights of tasks: the credentials with which each acts (kernel/fs/credentials.h), and what they permit.
 */
#pragma once

#include "kernel/fs/credentials.h"
#include "kernel/task/process.h"

/* Return the credentials of the current task. The pointer is valid until the task replaces its credentials. */
static inline const struct credentials *rights_current(void)
{
	return task_current()->rights.who;
}

/* Return whether the current task has the capability. */
static inline bool rights_can(enum capability which)
{
	return credentials_can(rights_current(), which);
}

/*
 * Return a reference to the credentials of a task, or NULL if it has ended; or of a process: those of its first task,
 * of another one if the first has ended, or, if all have ended, of the one that ended last. rights_user_of() returns
 * only the real user ID in a process's credentials.
 */
const struct credentials *rights_of_task(const struct task *task);
const struct credentials *rights_of_process(const struct process *process);
uint32_t rights_user_of(const struct process *process);

/*
 * Publish `who` as the credentials of the current task, which takes over the caller's reference. If an effective ID or
 * an ID for files changes, or there are more capabilities, then as on Linux the process becomes DUMPABLE_NOT, and the
 * task gets no signal any more when its parent ends. Returns 0; or -ENOMEM, with the reference dropped and nothing
 * changed.
 */
int rights_replace(const struct credentials *who);

/*
 * Give a new task a reference of its own to the credentials `who`. Returns 0, or -ENOMEM with nothing changed.
 * rights_begin_first() gives the first process's task root's credentials.
 */
void rights_begin_first(struct task *task);
int rights_begin(struct task *task, const struct credentials *who);

/* Take the credentials from a task that ends; its process keeps them until another of its tasks ends. */
void rights_end(struct task *task);

/* Drop the credentials of a task that never started. */
void rights_undo(struct task *task);

/*
 * Return whether the current task may send a signal to a process, or to a task of it, which has the credentials
 * `theirs` (kill(2)). rights_may_signal_process() finds the credentials of the process itself.
 */
bool rights_may_signal(const struct process *process, const struct credentials *theirs, int signal);
bool rights_may_signal_process(const struct process *process, int signal);

/* Return whether a task is the current one's: its real or effective user is the current one's effective user. */
bool rights_own_task(const struct task *task);

/* Return whether the task's real user is `uid`; false if the task has ended. */
bool rights_is_of_user(const struct task *task, uint32_t uid);

/* Return whether `uid` and `gid` are all of the real, effective and saved IDs of `theirs`. */
bool rights_are_all_of(uint32_t uid, uint32_t gid, const struct credentials *theirs);

/*
 * Return whether the current task may look into a process, as /proc/PID/environ does: it is its own, or their users are
 * the same and the process is DUMPABLE_USER (ptrace(2), "Ptrace access mode checking").
 */
bool rights_may_look(const struct process *process);

/*
 * Return what rights_may_look() returns, but for ptrace(2) and process_vm_readv(2), for which the caller's real user
 * and group count in place of those for files.
 */
bool rights_may_trace(const struct process *process);

/* Mark a local variable that is a reference to credentials, or NULL: it is dropped when the scope ends. */
#define HELD_CREDENTIALS __attribute__((cleanup(credentials_leave_scope)))

static inline void credentials_leave_scope(const struct credentials **who)
{
	credentials_put(*who);
}
