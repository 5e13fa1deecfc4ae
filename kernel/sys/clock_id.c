/*
 * Finds and reads clocks by their numbers; see clock_id.h.
 */
#include "kernel/sys/clock_id.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"

#define OF_THREAD 4 /* a bit in the number of a clock of CPU time: the clock is a thread's, not a process's */
#define KINDS     3

/* Return the pid or tid from a negative clock number; 0 stands for the calling process or thread. */
static int named_by(uint32_t id)
{
	return (int)~((int32_t)id >> 3);
}

static int find_thread(int tid, struct cpu_clock_owner *ret)
{
	ret->task = tid ? task_find(tid) : task_get(task_current());
	if (ret->task && ret->task->process == process_current())
		return 0;
	cpu_clock_put(ret);
	return -EINVAL;
}

int cpu_clock_find(uint32_t id, struct cpu_clock_owner *ret)
{
	*ret = (struct cpu_clock_owner){ .counts = CPU_CLOCK_SCHED };
	if (id == CLOCK_THREAD_CPUTIME_ID)
		return find_thread(0, ret);
	if (id == CLOCK_PROCESS_CPUTIME_ID) {
		ret->process = process_get(process_current());
		return 0;
	}
	if ((int32_t)id >= 0 || (id & KINDS) == KINDS || named_by(id) < 0)
		return -EINVAL;
	ret->counts = (enum cpu_clock)(id & KINDS);
	if (id & OF_THREAD)
		return find_thread(named_by(id), ret);
	ret->process = named_by(id) ? process_find(named_by(id)) : process_get(process_current());
	return ret->process ? 0 : -EINVAL;
}

void cpu_clock_put(struct cpu_clock_owner *owner)
{
	if (owner->task)
		task_put(owner->task);
	if (owner->process)
		process_put(owner->process);
	*owner = (struct cpu_clock_owner){ 0 };
}

static int read_cpu_time(uint32_t id, uint64_t *ret_ns)
{
	struct cpu_clock_owner owner;
	struct usage used;
	int error = cpu_clock_find(id, &owner);

	if (error)
		return error;
	if (owner.counts == CPU_CLOCK_USER) {
		used = owner.task ? task_usage(owner.task) : process_usage(owner.process);
		*ret_ns = used.user_ns;
	} else {
		*ret_ns = owner.task ? task_run_ns(owner.task) : process_run_ns(owner.process);
	}
	cpu_clock_put(&owner);
	return 0;
}

int clock_read(uint64_t id, uint64_t *ret_ns)
{
	switch ((uint32_t)id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		*ret_ns = clock_realtime_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ret_ns = clock_monotonic_ns();
		return 0;
	}
	return clock_is_cpu_time((uint32_t)id) ? read_cpu_time((uint32_t)id, ret_ns) : -EINVAL;
}

bool clock_can_sleep(uint32_t id)
{
	return id != CLOCK_THREAD_CPUTIME_ID && id != CLOCK_MONOTONIC_RAW && id != CLOCK_REALTIME_COARSE &&
	       id != CLOCK_MONOTONIC_COARSE;
}

bool clock_is_own_thread(uint32_t id)
{
	return (int32_t)id < 0 && id & OF_THREAD && (!named_by(id) || named_by(id) == task_current()->tid);
}
