/*
 * System calls about processes and threads: their numbers, groups and sessions, clone, exit and wait.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/pidfd.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/clone.h"
#include "kernel/task/process_wait.h"
#include "kernel/task/signal_numbers.h"

SYSCALL_0(getpid)
{
	return process_current()->pid;
}

SYSCALL_0(getppid)
{
	const struct process *parent = process_current()->parent;

	return parent ? parent->pid : 0;
}

SYSCALL_0(gettid)
{
	return task_current()->tid;
}

/* Return a reference to the process `pid`, which may be a zombie; 0 means the current one. NULL when there is none. */
static struct process *find(uint64_t pid)
{
	return (int)pid ? process_find((int)pid) : process_get(process_current());
}

SYSCALL_1(getpgid, pid)
{
	HELD_PROCESS struct process *process = find(pid);

	return process ? process->group : -ESRCH;
}

SYSCALL_0(getpgrp)
{
	return process_current()->group;
}

SYSCALL_1(getsid, pid)
{
	HELD_PROCESS struct process *process = find(pid);

	return process ? process->session : -ESRCH;
}

SYSCALL_2(setpgid, pid, group_argument)
{
	struct process *self = process_current();
	HELD_PROCESS struct process *process = find(pid);
	int group = (int)group_argument;

	if (group < 0)
		return -EINVAL;
	if (!process || (process != self && process->parent != self))
		return -ESRCH;
	if (!group)
		group = process->pid;
	if (process->session != self->session)
		return -EPERM;
	if (process != self && process->executed)
		return -EACCES;
	if (process->session == process->pid)
		return -EPERM;
	if (group != process->pid && !process_group_exists(group, self->session))
		return -EPERM;
	process_set_group(process, group, process->session);
	return 0;
}

SYSCALL_0(setsid)
{
	struct process *process = process_current();

	if (process_group_exists(process->pid, -1))
		return -EPERM;
	process_set_group(process, process->pid, process->pid);
	process->tty = NULL;
	return process->pid;
}

static int64_t fork_with(uint64_t flags, uint64_t stack)
{
	struct clone_arguments arguments = { .flags = flags, .stack = stack };

	return process_clone(&arguments);
}

SYSCALL_0(fork)
{
	return fork_with(SIGCHLD, 0);
}

SYSCALL_0(vfork)
{
	return fork_with(CLONE_VFORK | CLONE_VM | SIGCHLD, 0);
}

SYSCALL_1(exit, code)
{
	process_exit_task((int)(code & 0xff));
}

SYSCALL_1(exit_group, code)
{
	process_exit((int)(code & 0xff) << 8);
}

#define WAIT4_OPTIONS  (WAIT_NO_HANG | WAIT_UNTRACED | WAIT_CONTINUED | WAIT_ALL | WAIT_CLONE | WAIT_THREADS)
#define WAITID_OPTIONS (WAIT4_OPTIONS | WAIT_EXITED | WAIT_NOWAIT)

SYSCALL_4(wait4, who, status, options, usage)
{
	struct wait_result result;
	struct linux_rusage used;
	int pid, error;

	if ((uint32_t)options & ~(uint32_t)WAIT4_OPTIONS)
		return -EINVAL;
	if ((int)who == INT32_MIN)
		return -ESRCH;
	pid = process_wait((int)who, (unsigned)options | WAIT_EXITED, &result);
	if (pid <= 0)
		return pid == -EINTR ? -ERESTARTSYS : pid;
	error = args_put_late(status, &result.status, sizeof(result.status));
	used = rusage_of(&result.used, result.most_pages);
	if (!error)
		error = args_put_late(usage, &used, sizeof(used));
	return error ? error : pid;
}

/* Linux's siginfo_t, as waitid(2) fills it. */
struct wait_info {
	int32_t signal, error, code, pad;
	int32_t pid, uid, status;
	int32_t unused[25];
};

_Static_assert(sizeof(struct wait_info) == 128, "Linux's siginfo_t");

static struct wait_info info_of(const struct wait_result *result)
{
	struct wait_info info = { .signal = SIGCHLD, .pid = result->pid, .uid = (int32_t)result->uid };
	unsigned status = (unsigned)result->status;

	if (status == 0xffff) {
		info.code = CLD_CONTINUED;
		info.status = SIGCONT;
	} else if ((status & 0xff) == 0x7f) {
		info.code = result->trapped ? CLD_TRAPPED : CLD_STOPPED;
		info.status = (int32_t)(status >> 8);
	} else {
		const struct wait_end end = wait_end_of(result->status);

		info.code = end.code;
		info.status = end.status;
	}
	return info;
}

#define P_PIDFD 3 /* an idtype of waitid(2): the id is a descriptor */

/*
 * Convert waitid(2)'s idtype and id to wait4(2)'s pid argument. Returns 0; -EINVAL when they are not valid (*ret_who is
 * then undefined).
 */
static int who_of(uint64_t type, int id, int *ret_who)
{
	switch ((int)type) {
	case 0: /* P_ALL */
		*ret_who = -1;
		return 0;
	case 1: /* P_PID */
		*ret_who = id;
		return id > 0 ? 0 : -EINVAL;
	case 2: /* P_PGID; 0 is the caller's own group */
		*ret_who = -id;
		return id >= 0 && id != 1 ? 0 : -EINVAL;
	}
	return -EINVAL;
}

SYSCALL_5(waitid, type, id, to, options, usage)
{
	struct wait_info info = { .signal = 0 };
	struct wait_result result;
	struct linux_rusage used;
	HELD_FILE struct file *file = (int)type == P_PIDFD ? args_file_get(id) : NULL;
	const struct process *process = pidfd_process(file);
	int who, pid, error = (int)type == P_PIDFD ? process ? 0 : -EBADF : who_of(type, (int)id, &who);

	if (error)
		return error;
	/* For a pidfd with O_NONBLOCK the call does not wait, but returns an error when there is nothing to report. */
	if (file && file->flags & O_NONBLOCK)
		options |= WAIT_NO_HANG;
	if ((uint32_t)options & ~(uint32_t)WAITID_OPTIONS ||
	    !(options & (WAIT_EXITED | WAIT_UNTRACED | WAIT_CONTINUED)))
		return -EINVAL;
	pid = process ? process_wait_for(process, (unsigned)options, &result)
		      : process_wait(who, (unsigned)options, &result);
	if (pid < 0)
		return pid == -EINTR ? -ERESTARTSYS : pid;
	if (!pid && file && file->flags & O_NONBLOCK)
		return -EAGAIN;
	if (pid) {
		info = info_of(&result);
		used = rusage_of(&result.used, result.most_pages);
		error = args_put_late(usage, &used, sizeof(used));
	}
	return error ? error : args_put_late(to, &info, sizeof(info));
}

SYSCALL_1(set_tid_address, address)
{
	task_current()->clear_child_tid = address;
	return task_current()->tid;
}

#define ROBUST_LIST_SIZE 24 /* bytes of Linux's struct robust_list_head */

SYSCALL_2(set_robust_list, head, size)
{
	if (size != ROBUST_LIST_SIZE)
		return -EINVAL;
	task_current()->futexes.robust_list = head;
	return 0;
}

SYSCALL_3(get_robust_list, tid, to, to_size)
{
	HELD_TASK struct task *task = (int)tid ? task_find((int)tid) : task_get(task_current());
	uint64_t size = ROBUST_LIST_SIZE;
	int error;

	if (!task || !task->process)
		return -ESRCH;
	if (!rights_may_trace(task->process))
		return -EPERM;
	error = args_put(to_size, &size, sizeof(size));
	return error ? error : args_put(to, &task->futexes.robust_list, sizeof(uint64_t));
}
