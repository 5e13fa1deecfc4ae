/* System calls about which CPUs a task may run on. */
#include "kernel/lib/string.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/find.h"
#include "kernel/task/rights.h"
#include "kernel/task/sched.h"

/* Return a reference to the task of a program with this tid, or to the current task for 0; NULL: there is none. */
static struct task *find(uint64_t tid)
{
	struct task *task = (int)tid ? task_find((int)tid) : task_get(task_current());

	if (task && !task->process) {
		task_put(task);
		return NULL;
	}
	return task;
}

/* Return how many bytes a set of all CPUs has, in whole words of 8 bytes, as on Linux. */
static size_t set_size(void)
{
	return (cpu_count + 63) / 64 * sizeof(uint64_t);
}

/* Return the CPUs of `set` that exist and run. */
static struct cpu_set that_run(const struct cpu_set *set)
{
	struct cpu_set result = { 0 };

	CPUS_EACH(cpu)
		if (cpu_set_has(set, cpu->number))
			cpu_set_add(&result, cpu->number);
	return result;
}

/* sched_getaffinity(2): as on Linux the system call returns how many bytes of the mask were written. */
SYSCALL_3(sched_getaffinity, tid, size, to)
{
	struct task HELD_TASK *task = NULL;
	struct cpu_set set;
	int error;

	if (size < set_size() || size % sizeof(uint64_t))
		return -EINVAL;
	task = find(tid);
	if (!task)
		return -ESRCH;
	set = that_run(&task->may);
	size = size < set_size() ? size : set_size();
	error = args_put(to, &set, size);
	return error ? error : (int64_t)size;
}

/* As on Linux, a change of another user's task needs CAP_SYS_NICE. */
SYSCALL_3(sched_setaffinity, tid, size, from)
{
	struct task HELD_TASK *task = find(tid);
	struct cpu_set set = { 0 }, usable;
	int error;

	if (!task)
		return -ESRCH;
	error = args_get(&set, from, size < sizeof(set) ? size : sizeof(set));
	if (error)
		return error;
	if (!rights_own_task(task) && !rights_can(CAP_SYS_NICE))
		return -EPERM;
	usable = that_run(&set);
	if (cpu_set_is_empty(&usable))
		return -EINVAL;
	sched_set_cpus(task, &usable);
	return 0;
}
