/*
 * System calls about scheduling: policies, real-time priorities, nice values. Which CPUs a task may run on is the
 * matter of sys_affinity.c.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/futex_pi.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/rt_queue.h"
#include "kernel/task/sched.h"

SYSCALL_0(sched_yield)
{
	task_yield();
	return 0;
}

/* Do sched_yield() without the kernel lock: when no other task waits for this CPU there is nothing to do. */
int64_t open_sched_yield(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return sched_is_alone() ? 0 : SYSCALL_NEEDS_LOCK;
}

/* ---- policies ---- */

#define RESET_ON_FORK 0x40000000U /* SCHED_RESET_ON_FORK, a flag in the argument `policy` */

/* Flags of struct sched_attr. */
#define FLAG_RESET_ON_FORK 1ULL
#define FLAG_KEEP_POLICY   8ULL
#define FLAG_KEEP_PARAMS   0x10ULL
#define FLAG_CLAMPS        0x60ULL /* limits of the CPU's frequency, which the kernel does not choose */
#define FLAGS_KNOWN        0x7fULL

#define KEEP_POLICY (-1) /* in place of a policy: keep the task's policy */

#define ATTR_FIRST_SIZE 48 /* least size of struct sched_attr, without the clamps: SCHED_ATTR_SIZE_VER0 */

/* Linux's struct sched_attr, as of 6.1. */
struct linux_sched_attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least_clamp, most_clamp;
};

_Static_assert(sizeof(struct linux_sched_attr) == 56, "Linux's struct sched_attr");

static int nice_within(int nice)
{
	return nice < NICE_LEAST ? NICE_LEAST : nice > NICE_MOST ? NICE_MOST : nice;
}

/* Find the task `tid`; 0 means the current one. *ret is a reference. Returns 0, -EINVAL, -ESRCH. */
static int find_subject(uint64_t tid, struct task **ret)
{
	struct task *task;

	if ((int)tid < 0)
		return -EINVAL;
	task = (int)tid ? task_find((int)tid) : task_get(task_current());
	if (task && !task->process) {
		task_put(task);
		task = NULL;
	}
	*ret = task;
	return task ? 0 : -ESRCH;
}

/* Check that a policy exists and that it allows the priority. Returns 0 or -EINVAL (also for SCHED_DEADLINE). */
static int check_policy(int policy, uint32_t priority)
{
	switch (policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return priority >= 1 && priority < RT_PRIORITIES ? 0 : -EINVAL;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return priority ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* Return whether RLIMIT_NICE of the task's process allows a nice value: the limit is for 20 minus the nice value. */
static bool nice_is_allowed(const struct task *task, int nice)
{
	return (uint64_t)(NICE_MOST + 1 - nice) <= task->process->limits[LIMIT_NICE].soft;
}

/*
 * Return whether the current task may give a task the parameters `sched` (sched(7), "Privileges and resource limits").
 */
static bool may_set(const struct task *task, const struct task_sched *sched)
{
	const struct task_sched *old = &task->sched;

	if (rights_can(CAP_SYS_NICE))
		return true;
	if (!rights_own_task(task) || (old->reset_on_fork && !sched->reset_on_fork))
		return false;
	if (sched->rt_priority) {
		const uint64_t limit = task->process->limits[LIMIT_RTPRIO].soft;

		return (sched->policy == old->policy || limit) &&
		       (sched->rt_priority <= old->rt_priority || (uint64_t)sched->rt_priority <= limit);
	}
	if (old->policy == SCHED_IDLE && sched->policy != SCHED_IDLE && !nice_is_allowed(task, old->nice))
		return false;
	return sched->nice >= old->nice || nice_is_allowed(task, sched->nice);
}

/*
 * Set a task's parameters as `attr` says; attr->policy may be KEEP_POLICY. Returns 0, -EINVAL, -EOPNOTSUPP or
 * -EPERM.
 */
static int set_attr(struct task *task, const struct linux_sched_attr *attr)
{
	struct task_sched sched = task->sched;
	int policy = (int)attr->policy, error;

	if (policy == KEEP_POLICY)
		policy = (int)sched.policy;
	else
		sched.reset_on_fork = attr->flags & FLAG_RESET_ON_FORK;
	if (attr->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	error = check_policy(policy, attr->priority);
	if (error)
		return error;
	if (attr->flags & FLAG_CLAMPS)
		return refuse_feature(-EOPNOTSUPP, "sched_setattr: clamps of utilization", FLAG_CLAMPS);
	if (!(attr->flags & FLAG_KEEP_PARAMS)) {
		sched.policy = (enum sched_policy)policy;
		sched.rt_priority = (int)attr->priority;
		/*
		 * As on Linux, policies without a nice value leave it as it is, so that it has an effect again when the
		 * task returns to SCHED_OTHER or SCHED_BATCH.
		 */
		if (policy == SCHED_OTHER || policy == SCHED_BATCH)
			sched.nice = attr->nice;
	}
	if (!may_set(task, &sched))
		return -EPERM;
	sched_set(task, &sched);
	futex_pi_new_priority(task);
	return 0;
}

/* Set a task's policy, which may be KEEP_POLICY, and the priority that is at user address `from`. */
static int64_t set_policy(uint64_t tid, int policy, uint64_t from)
{
	struct linux_sched_attr attr = { .policy = (uint32_t)policy };
	HELD_TASK struct task *task = NULL;
	int error;

	if (!from || (int)tid < 0)
		return -EINVAL;
	error = args_get(&attr.priority, from, sizeof(attr.priority));
	if (!error)
		error = find_subject(tid, &task);
	if (error)
		return error;
	attr.nice = task->sched.nice;
	if (policy != KEEP_POLICY && (attr.policy & RESET_ON_FORK)) {
		attr.policy &= ~RESET_ON_FORK;
		attr.flags = FLAG_RESET_ON_FORK;
	}
	return set_attr(task, &attr);
}

SYSCALL_2(sched_setparam, tid, from)
{
	return set_policy(tid, KEEP_POLICY, from);
}

SYSCALL_3(sched_setscheduler, tid, policy, from)
{
	return (int)policy < 0 ? -EINVAL : set_policy(tid, (int)policy, from);
}

SYSCALL_1(sched_getscheduler, tid)
{
	HELD_TASK struct task *task = NULL;
	int error = find_subject(tid, &task);

	return error ? error
		     : (int64_t)((uint32_t)task->sched.policy | (task->sched.reset_on_fork ? RESET_ON_FORK : 0));
}

SYSCALL_2(sched_getparam, tid, to)
{
	HELD_TASK struct task *task = NULL;
	int error = to ? find_subject(tid, &task) : -EINVAL;

	return error ? error : args_put(to, &task->sched.rt_priority, sizeof(int32_t));
}

/* Write the size of the kernel's struct sched_attr into the program's structure, and return -E2BIG. */
static int tell_size(uint64_t to)
{
	const uint32_t size = sizeof(struct linux_sched_attr);
	int error = args_put(to, &size, sizeof(size));

	return error == -ERESTART_MEMORY ? error : -E2BIG;
}

/*
 * Get a struct sched_attr from user memory: its size is in its first field, since later versions of Linux have more
 * fields. Returns 0, -EFAULT, -EINVAL, or -E2BIG: fields that the kernel does not know are not zero, or the size is
 * wrong; the size that the kernel knows is then in the program's first field.
 */
static int get_attr(struct linux_sched_attr *ret, uint64_t from)
{
	uint32_t size;
	int error = args_get(&size, from, sizeof(size));

	if (error)
		return error;
	if (!size)
		size = ATTR_FIRST_SIZE;
	if (size < ATTR_FIRST_SIZE || size > PAGE_SIZE)
		return tell_size(from);
	memset(ret, 0, sizeof(*ret));
	error = args_get(ret, from, size < sizeof(*ret) ? size : sizeof(*ret));
	for (uint32_t at = sizeof(*ret); !error && at < size; at++) {
		uint8_t byte;

		error = args_get(&byte, from + at, 1);
		if (!error && byte)
			return tell_size(from);
	}
	if (error)
		return error;
	if ((ret->flags & FLAG_CLAMPS) && size < sizeof(*ret))
		return -EINVAL;
	ret->nice = nice_within(ret->nice);
	return 0;
}

SYSCALL_3(sched_setattr, tid, from, flags)
{
	struct linux_sched_attr attr;
	HELD_TASK struct task *task = NULL;
	int error;

	if (!from || (int)tid < 0 || (uint32_t)flags)
		return -EINVAL;
	error = get_attr(&attr, from);
	if (error)
		return error;
	if ((int)attr.policy < 0)
		return -EINVAL;
	if (attr.flags & FLAG_KEEP_POLICY)
		attr.policy = (uint32_t)KEEP_POLICY;
	error = find_subject(tid, &task);
	if (error)
		return error;
	if ((attr.flags & FLAG_KEEP_PARAMS) && task->sched.rt_priority)
		attr.priority = (uint32_t)task->sched.rt_priority;
	return set_attr(task, &attr);
}

SYSCALL_4(sched_getattr, tid, to, size, flags)
{
	struct linux_sched_attr attr = { .size = sizeof(attr) };
	HELD_TASK struct task *task = NULL;
	int error;

	if (!to || (int)tid < 0 || (uint32_t)size > PAGE_SIZE || (uint32_t)size < ATTR_FIRST_SIZE || (uint32_t)flags)
		return -EINVAL;
	error = find_subject(tid, &task);
	if (error)
		return error;
	if ((uint32_t)size < sizeof(attr))
		attr.size = (uint32_t)size;
	attr.policy = task->sched.policy;
	attr.flags = task->sched.reset_on_fork ? FLAG_RESET_ON_FORK : 0;
	attr.priority = (uint32_t)task->sched.rt_priority;
	attr.nice = task->sched.rt_priority ? 0 : task->sched.nice;
	return args_put(to, &attr, attr.size);
}

/* Tell the length of a task's time slice. As on Linux it is 0 for SCHED_FIFO, whose tasks have no time slice. */
SYSCALL_2(sched_rr_get_interval, tid, to)
{
	HELD_TASK struct task *task = NULL;
	int error = find_subject(tid, &task);
	struct linux_timespec turn;

	if (error)
		return error;
	turn = timespec_from_ns(task->sched.policy == SCHED_RR ? rt_settings.turn_ns
				: task->sched.rt_priority      ? 0
							       : SCHED_SLICE_NS);
	return args_put(to, &turn, sizeof(turn));
}

/*
 * Return a bound of a policy's priorities: `bound` for SCHED_FIFO and SCHED_RR, 0 for the policies that have no
 * priorities, -EINVAL if there is no such policy.
 */
static int64_t priority_bound(uint64_t policy, int bound)
{
	switch ((int)policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return bound;
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return 0;
	}
	return -EINVAL;
}

SYSCALL_1(sched_get_priority_max, policy)
{
	return priority_bound(policy, RT_PRIORITIES - 1);
}

SYSCALL_1(sched_get_priority_min, policy)
{
	return priority_bound(policy, 1);
}

/* ---- nice values ---- */

enum { PRIO_PROCESS, PRIO_PGRP, PRIO_USER };

/* The state of a walk over the tasks that a getpriority(2) or setpriority(2) is about. */
struct priority_search {
	uint64_t which; /* PRIO_… */
	int who;        /* a tid, a process group, or a user ID */
	int set;        /* the nice value to set; NICE_NONE: set none */
	int best;       /* the least nice value of the tasks found */
	bool found;
	int error; /* why a nice value could not be set; 0: all were */
};

#define NICE_NONE (NICE_MOST + 1)

static bool see_priority(void *ctx, struct task *task)
{
	struct priority_search *search = ctx;
	struct task_sched sched;

	if (!task->process || (search->which == PRIO_USER && !rights_is_of_user(task, (uint32_t)search->who)))
		return true;
	search->found = true;
	if (search->set != NICE_NONE) {
		sched = task->sched;
		sched.nice = search->set;
		if (!rights_own_task(task) && !rights_can(CAP_SYS_NICE))
			search->error = -EPERM;
		else if (sched.nice < task->sched.nice && !nice_is_allowed(task, sched.nice) &&
			 !rights_can(CAP_SYS_NICE))
			search->error = -EACCES;
		else
			sched_set(task, &sched);
	}
	if (task->sched.nice < search->best)
		search->best = task->sched.nice;
	return true;
}

/*
 * Visit the tasks that the call is about. The tasks of a user are sought among all tasks; other tasks may run in
 * between. Returns 0, -EINVAL, -ESRCH, -EPERM or -EACCES.
 */
static int search_priority(struct priority_search *search)
{
	int next = 0;

	if (search->which > PRIO_USER)
		return -EINVAL;
	if (!search->who)
		search->who = search->which == PRIO_PROCESS ? task_current()->tid
			      : search->which == PRIO_PGRP  ? process_current()->group
							    : (int)rights_current()->uid.real;
	search->best = NICE_NONE;
	if (search->which == PRIO_USER)
		while (task_visit_some(&next, see_priority, search) && !task_give_way())
			;
	else if (search->which == PRIO_PGRP)
		task_visit_group(search->who, see_priority, search);
	else if (task_peek(search->who))
		(void)see_priority(search, task_peek(search->who));
	return search->found ? search->error : -ESRCH;
}

/* getpriority(2): as on Linux the system call returns 20 - nice, which is never negative. */
SYSCALL_2(getpriority, which, who)
{
	struct priority_search search = { .which = (uint32_t)which, .who = (int)who, .set = NICE_NONE };
	int error = search_priority(&search);

	return error ? error : NICE_MOST + 1 - search.best;
}

SYSCALL_3(setpriority, which, who, nice)
{
	struct priority_search search = { .which = (uint32_t)which, .who = (int)who, .set = nice_within((int)nice) };

	return search_priority(&search);
}
