/*
 * Creates processes, and copies what a new process inherits from the process that makes it.
 */
#include "kernel/fs/errno.h"
#include "kernel/fs/place.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/process_limits.h"

/* Copy what a new process inherits from its maker, except memory and descriptors, which clone.c copies or shares. */
static void inherit(struct process *process, const struct process *maker)
{
	process->group = maker->group;
	process->session = maker->session;
	process->tty = maker->tty;
	process->paths.root = place_get(maker->paths.root);
	process->paths.cwd = place_get(maker->paths.cwd);
	process->paths.umask = maker->paths.umask;
	process->program = maker->program;
	node_get(process->program)->runners++;
	process->program_mount = mount_get(maker->program_mount);
	process->memory_adjust = maker->memory_adjust;
	process->rights.dumpable = maker->rights.dumpable;
	process->rights.core_filter = maker->rights.core_filter;
	process->args_start = maker->args_start;
	process->aux_start = maker->aux_start;
	process->aux_end = maker->aux_end;
	process->args_end = maker->args_end;
	process->env_start = maker->env_start;
	process->env_end = maker->env_end;
}

int process_create(int pid, struct process *parent, const struct process *maker, struct process **ret)
{
	struct process *process = cache_alloc(&process_cache);

	if (!process)
		return -ENOMEM;
	memset(process, 0, sizeof(*process));
	if (signal_begin(process, maker) != 0) {
		cache_free(&process_cache, process);
		return -ENOMEM;
	}
	list_init(&process->tasks); /* before the limits: RLIMIT_CPU looks at the time of all tasks */
	if (process_limits_begin(process, maker) != 0) {
		signal_end(process);
		cache_free(&process_cache, process);
		return -ENOMEM;
	}
	/*
	 * The first process, which has no maker, keeps group and session 0, as on Linux: as a group leader it could not
	 * call setsid(2).
	 */
	process->pid = pid;
	process->parent_tid = maker ? task_current()->tid : 0;
	list_init(&process->trace_news);
	process->refs = 1;
	process->start_ns = clock_monotonic_ns();
	process->alarm.fire = process_alarm_rings;
	wait_queue_init(&process->waiters);
	list_init(&process->waking);
	list_init(&process->children);
	list_init(&process->news);
	list_init(&process->sibling);
	list_init(&process->in_news);
	if (maker) {
		inherit(process, maker);
	} else {
		process->rights.dumpable = DUMPABLE_USER;
		process->rights.core_filter = CORE_FIRST;
	}
	process_enlist(process, parent);
	*ret = process;
	return 0;
}
