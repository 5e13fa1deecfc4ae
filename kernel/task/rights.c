/*
 * Keeps and replaces the credentials of tasks and processes, and decides whether the current task may signal, trace or
 * look into another. What a capability permits otherwise is checked by the caller of rights_can().
 */
#include "kernel/task/rights.h"

#include "kernel/fs/errno.h"
#include "kernel/sync/lock.h"
#include "kernel/task/seccomp.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/user_tasks.h"

/* Guards the pointers to credentials: while one is read and gets another reference, its owner cannot drop it. */
static struct lock rights_lock = LOCK_INITIAL(LOCK_RIGHTS);

const struct credentials *rights_of_task(const struct task *task)
{
	uint64_t flags = lock_take(&rights_lock);
	const struct credentials *who = task->rights.who;

	if (who)
		credentials_get(who);
	lock_release(&rights_lock, flags);
	return who;
}

/* Return the credentials of a process. The caller holds rights_lock. */
static const struct credentials *of_process(const struct process *process)
{
	const struct task *task = process_any_task(process);
	const struct credentials *who = task ? task->rights.who : process->rights.ended_as;

	return who ? who : &credentials_first;
}

const struct credentials *rights_of_process(const struct process *process)
{
	uint64_t flags = lock_take(&rights_lock);
	const struct credentials *who = credentials_get(of_process(process));

	lock_release(&rights_lock, flags);
	return who;
}

uint32_t rights_user_of(const struct process *process)
{
	uint64_t flags = lock_take(&rights_lock);
	const uint32_t uid = of_process(process)->uid.real;

	lock_release(&rights_lock, flags);
	return uid;
}

/* Store a reference, and return the one that was there before. */
static const struct credentials *exchange(const struct credentials **at, const struct credentials *who)
{
	uint64_t flags = lock_take(&rights_lock);
	const struct credentials *old = *at;

	*at = who;
	lock_release(&rights_lock, flags);
	return old;
}

static bool gives_more(const struct credentials *old, const struct credentials *new)
{
	return old->uid.effective != new->uid.effective || old->gid.effective != new->gid.effective ||
	       old->uid.fs != new->uid.fs || old->gid.fs != new->gid.fs || new->permitted & ~old->permitted;
}

int rights_replace(const struct credentials *who)
{
	struct task *task = task_current();
	const struct credentials *old;

	if (user_tasks_add(who->uid.real) != 0) {
		credentials_put(who);
		return -ENOMEM;
	}
	old = exchange(&task->rights.who, who);
	user_tasks_remove(old->uid.real);
	if (gives_more(old, who)) {
		task->process->rights.dumpable = DUMPABLE_NOT;
		task->rights.parent_death_signal = 0;
	}
	credentials_put(old);
	return 0;
}

static void drop_filter(struct task *task)
{
	seccomp_put(task->rights.filter);
	task->rights.filter = NULL;
}

void rights_begin_first(struct task *task)
{
	task->rights.who = credentials_get(&credentials_first);
}

int rights_begin(struct task *task, const struct credentials *who)
{
	int error = user_tasks_add(who->uid.real);

	if (error)
		return error;
	task->rights.who = credentials_get(who);
	seccomp_inherit(task);
	return 0;
}

void rights_end(struct task *task)
{
	uint64_t flags = lock_take(&rights_lock);
	const struct credentials *who = task->rights.who, *before = task->process->rights.ended_as;

	task->rights.who = NULL;
	task->process->rights.ended_as = who;
	lock_release(&rights_lock, flags);
	user_tasks_remove(who->uid.real);
	credentials_put(before);
	drop_filter(task);
}

void rights_undo(struct task *task)
{
	const struct credentials *who = exchange(&task->rights.who, NULL);

	user_tasks_remove(who->uid.real);
	credentials_put(who);
	drop_filter(task);
}

bool rights_may_signal(const struct process *process, const struct credentials *theirs, int signal)
{
	const struct credentials *own = rights_current();

	if (process == process_current())
		return true;
	if (own->uid.effective == theirs->uid.saved || own->uid.effective == theirs->uid.real ||
	    own->uid.real == theirs->uid.saved || own->uid.real == theirs->uid.real || credentials_can(own, CAP_KILL))
		return true;
	/* A shell may continue all jobs of its session, even those that act as other users by now (su). */
	return signal == SIGCONT && process->session == process_current()->session;
}

bool rights_may_signal_process(const struct process *process, int signal)
{
	HELD_CREDENTIALS const struct credentials *theirs = NULL;

	if (process == process_current() || credentials_can(rights_current(), CAP_KILL))
		return true;
	theirs = rights_of_process(process);
	return rights_may_signal(process, theirs, signal);
}

bool rights_own_task(const struct task *task)
{
	const uint32_t own = rights_current()->uid.effective;
	HELD_CREDENTIALS const struct credentials *theirs = rights_of_task(task);

	return theirs && (theirs->uid.effective == own || theirs->uid.real == own);
}

bool rights_is_of_user(const struct task *task, uint32_t uid)
{
	HELD_CREDENTIALS const struct credentials *theirs = rights_of_task(task);

	return theirs && theirs->uid.real == uid;
}

bool rights_are_all_of(uint32_t uid, uint32_t gid, const struct credentials *theirs)
{
	return theirs->uid.real == uid && theirs->uid.effective == uid && theirs->uid.saved == uid &&
	       theirs->gid.real == gid && theirs->gid.effective == gid && theirs->gid.saved == gid;
}

/* Return whether the current task may look into a process as the user and group with these numbers. */
static bool may_look_as(const struct process *process, uint32_t uid, uint32_t gid)
{
	const struct credentials *own = rights_current();
	HELD_CREDENTIALS const struct credentials *theirs = NULL;

	if (process == process_current() || credentials_can(own, CAP_SYS_PTRACE))
		return true;
	theirs = rights_of_process(process);
	return process->rights.dumpable == DUMPABLE_USER && rights_are_all_of(uid, gid, theirs) &&
	       !(theirs->permitted & ~own->effective);
}

bool rights_may_look(const struct process *process)
{
	return may_look_as(process, rights_current()->uid.fs, rights_current()->gid.fs);
}

bool rights_may_trace(const struct process *process)
{
	return may_look_as(process, rights_current()->uid.real, rights_current()->gid.real);
}
