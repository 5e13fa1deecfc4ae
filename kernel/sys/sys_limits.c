/*
 * System calls about resource limits, scheduling parameters and nice values; also prctl and arch_prctl. There is one
 * CPU and one scheduling policy.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/sched.h"

SYSCALL_4(prlimit64, pid, which, from, to)
{
	HELD_PROCESS struct process *process = (int)pid ? process_find((int)pid) : process_get(process_current());
	struct process_rlimit old, new;
	int error;

	if (which >= PROCESS_LIMITS)
		return -EINVAL;
	error = args_get_if(&new, from, sizeof(new));
	if (error)
		return error;
	if (!process || process->zombie)
		return -ESRCH;
	old = process->limits[which];
	if (from) {
		if (new.soft > new.hard)
			return -EINVAL;
		if (which == LIMIT_NOFILE && new.hard > FD_LIMIT_MAX)
			return -EPERM;
		process_limit_set(process, (enum process_limit)which, new);
	}
	return args_put_late(to, &old, sizeof(old));
}

SYSCALL_2(getrlimit, which, to)
{
	return to ? sys_prlimit64(0, which, 0, to, 0, 0) : -EFAULT;
}

SYSCALL_2(setrlimit, which, from)
{
	return from ? sys_prlimit64(0, which, from, 0, 0, 0) : -EFAULT;
}

SYSCALL_0(sched_yield)
{
	task_yield();
	return 0;
}

/* Return whether a program's task has the number `tid`; 0 means the current task. */
static bool exists(uint64_t tid)
{
	const struct task *task = (int)tid ? task_peek((int)tid) : task_current();

	return task && task->process;
}

/*
 * sched_getaffinity(2): every task may use CPU 0, the only one. As on Linux the system call returns how many bytes of
 * the mask were written.
 */
SYSCALL_3(sched_getaffinity, tid, size, to)
{
	const uint64_t cpus = 1;
	int error;

	if (size < sizeof(cpus) || size % sizeof(cpus))
		return -EINVAL;
	if (!exists(tid))
		return -ESRCH;
	error = args_put(to, &cpus, sizeof(cpus));
	return error ? error : (int64_t)sizeof(cpus);
}

SYSCALL_3(sched_setaffinity, tid, size, from)
{
	uint8_t cpus;
	int error;

	if (!exists(tid))
		return -ESRCH;
	if (!size)
		return -EINVAL;
	error = args_get(&cpus, from, sizeof(cpus));
	if (error)
		return error;
	return cpus & 1 ? 0 : -EINVAL;
}

/* All tasks have the policy SCHED_OTHER, whose parameter is 0. */
SYSCALL_2(sched_getparam, tid, to)
{
	const int32_t priority = 0;

	return exists(tid) ? args_put(to, &priority, sizeof(priority)) : -ESRCH;
}

SYSCALL_2(sched_setparam, tid, from)
{
	int32_t priority;
	int error;

	if (!exists(tid))
		return -ESRCH;
	error = args_get(&priority, from, sizeof(priority));
	if (error)
		return error;
	return priority ? -EINVAL : 0;
}

SYSCALL_3(sched_setscheduler, tid, policy, from)
{
	return (int)policy ? -EINVAL : sys_sched_setparam(tid, from, 0, 0, 0, 0);
}

SYSCALL_1(sched_getscheduler, tid)
{
	return exists(tid) ? 0 : -ESRCH;
}

SYSCALL_2(sched_rr_get_interval, tid, to)
{
	const struct linux_timespec slice = timespec_from_ns(SCHED_SLICE_NS);

	return exists(tid) ? args_put(to, &slice, sizeof(slice)) : -ESRCH;
}

/*
 * Return a bound of a policy's priorities: `bound` for SCHED_FIFO and SCHED_RR (1, 2), although no task can have these
 * policies; 0 for SCHED_OTHER, SCHED_BATCH and SCHED_IDLE (0, 3, 5), which have no priorities; -EINVAL for others.
 */
static int64_t priority_bound(uint64_t policy, int bound)
{
	switch ((int)policy) {
	case 1:
	case 2:
		return bound;
	case 0:
	case 3:
	case 5:
		return 0;
	}
	return -EINVAL;
}

SYSCALL_1(sched_get_priority_max, policy)
{
	return priority_bound(policy, 99);
}

SYSCALL_1(sched_get_priority_min, policy)
{
	return priority_bound(policy, 1);
}

SYSCALL_3(getcpu, cpu, node, unused)
{
	const uint32_t zero = 0;
	int error = cpu ? args_put(cpu, &zero, sizeof(zero)) : 0;

	(void)unused;
	if (!error && node)
		error = args_put(node, &zero, sizeof(zero));
	return error;
}

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* A visit of the tasks that getpriority(2) or setpriority(2) means. */
struct priority_search {
	uint64_t which; /* PRIO_… */
	int who;        /* a tid or a process group */
	int set;        /* the priority to set; -1: set none */
	int best;       /* the lowest number, the least nice, of the tasks found */
	bool found;
};

static bool see_priority(void *ctx, struct task *task)
{
	struct priority_search *search = ctx;

	if (!task->process)
		return true;
	search->found = true;
	if (search->set >= 0)
		sched_set_priority(task, search->set);
	if (task->priority < search->best)
		search->best = task->priority;
	return true;
}

static bool see_priorities(void *ctx, struct process *process)
{
	PROCESS_EACH_TASK(process, task)
		(void)see_priority(ctx, task);
	return true;
}

static int search_priority(struct priority_search *search)
{
	if (search->which > PRIO_USER)
		return -EINVAL;
	if (!search->who)
		search->who = search->which == PRIO_PROCESS ? task_current()->tid : process_current()->group;
	search->best = TASK_PRIORITIES;
	if (search->which == PRIO_PGRP)
		process_visit_group(search->who, see_priorities, search);
	else if (search->which == PRIO_USER)
		task_visit(see_priority, search);
	else if (task_peek(search->who))
		(void)see_priority(search, task_peek(search->who));
	return search->found ? 0 : -ESRCH;
}

/* getpriority(2): as on Linux the system call returns 20 - nice, which is never negative. */
SYSCALL_2(getpriority, which, who)
{
	struct priority_search search = { .which = (uint32_t)which, .who = (int)who, .set = -1 };
	int error = search_priority(&search);

	return error ? error : TASK_PRIORITIES - search.best;
}

SYSCALL_3(setpriority, which, who, nice)
{
	struct priority_search search = { .which = (uint32_t)which, .who = (int)who };
	int wanted = (int)nice < -20 ? -20 : (int)nice > 19 ? 19 : (int)nice;

	search.set = TASK_PRIORITY + wanted;
	return search_priority(&search);
}

enum prctl_request {
	PR_GET_DUMPABLE = 3,
	PR_SET_DUMPABLE = 4,
	PR_SET_NAME = 15,
	PR_GET_NAME = 16,
};

static int64_t set_name(uint64_t from)
{
	char name[TASK_NAME];
	size_t length;
	enum status status = strncpy_from_user(name, user_pointer(from), sizeof(name), &length);

	if (status != OK && status != ERR_RANGE)
		return copy_errno(status);
	name[TASK_NAME - 1] = 0; /* a longer name is cut */
	memcpy(task_current()->name, name, sizeof(name));
	return 0;
}

/* prctl(2): unknown requests return -EINVAL, as on a Linux that is too old for them. */
SYSCALL_2(prctl, request, value)
{
	switch ((uint32_t)request) {
	case PR_SET_NAME:
		return set_name(value);
	case PR_GET_NAME:
		return args_put(value, task_current()->name, TASK_NAME);
	case PR_GET_DUMPABLE:
		return 0;
	case PR_SET_DUMPABLE:
		return value > 1 ? -EINVAL : 0;
	}
	return -EINVAL;
}

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS };

SYSCALL_2(arch_prctl, request, value)
{
	uint64_t base;

	switch ((uint32_t)request) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (value >= USER_END)
			return -EPERM;
		if ((uint32_t)request == ARCH_SET_FS)
			task_set_fs_base(value);
		else
			task_set_gs_base(value);
		return 0;
	case ARCH_GET_FS:
		base = task_get_fs_base();
		return args_put(value, &base, sizeof(base));
	case ARCH_GET_GS:
		base = task_get_gs_base();
		return args_put(value, &base, sizeof(base));
	}
	return -EINVAL;
}
