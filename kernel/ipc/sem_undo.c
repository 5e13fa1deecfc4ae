/*
 * Undoes at the end of a process its operations on semaphores with SEM_UNDO. On Linux tasks share these undos if they
 * were made with CLONE_SYSVSEM, as threads are; here they belong to the process.
 */
#include "kernel/ipc/sem.h"

#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/give_way.h"
#include "kernel/task/process.h"

#define RAM_SHARE 16 /* all undos together have a sixteenth of RAM at most */

static uint64_t all_bytes; /* bytes of all undos; guard: tasks only, which the kernel does not preempt */

/* All undos of a process. Guard: tasks only, which the kernel does not preempt. */
struct sem_undos {
	struct radix by_set; /* the undos by their sets' indices */
};

static struct sem_undos *undos_of(struct process *process)
{
	if (!process->undos) {
		process->undos = kzalloc(sizeof(*process->undos));
		if (process->undos)
			process->undos->by_set = (struct radix){ .alloc = kzalloc, .free = kfree };
	}
	return process->undos;
}

/* Return how many bytes an undo of a set has. */
static uint64_t bytes_of(const struct sem_set *set)
{
	return sizeof(struct sem_undo) + set->count * sizeof(int16_t);
}

struct sem_undo *sem_undo_get(struct sem_set *set)
{
	struct sem_undos *undos = undos_of(process_current());
	struct sem_undo *undo = undos ? radix_find(&undos->by_set, set->ipc.index) : NULL;

	if (undo || !undos)
		return undo;
	if (all_bytes + bytes_of(set) > machine_frames.total * PAGE_SIZE / RAM_SHARE)
		return NULL;
	undo = kzalloc(bytes_of(set));
	if (!undo)
		return NULL;
	if (radix_insert(&undos->by_set, set->ipc.index, undo) != OK) {
		kfree(undo);
		return NULL;
	}
	undo->set = set;
	undo->owner = undos;
	undo->settings = set->settings;
	list_add_last(&set->undos, &undo->in_set);
	all_bytes += bytes_of(set);
	return undo;
}

void sem_undo_refresh(struct sem_undo *undo)
{
	if (undo->settings == undo->set->settings)
		return;
	memset(undo->changes, 0, undo->set->count * sizeof(undo->changes[0]));
	undo->settings = undo->set->settings;
}

void sem_undo_free(struct sem_undo *undo)
{
	list_remove(&undo->in_set);
	(void)radix_remove(&undo->owner->by_set, undo->set->ipc.index);
	all_bytes -= bytes_of(undo->set);
	kfree(undo);
}

/* Do an undo, and free it. Each value stays within 0 and SEM_VALUE_MOST. */
static void apply(struct sem_undo *undo, int pid)
{
	struct sem_set *set = undo->set;

	sem_undo_refresh(undo);
	for (uint32_t i = 0; i < set->count; i++) {
		struct sem *sem = &set->sems[i];
		int value = sem->value + undo->changes[i];

		if (!undo->changes[i])
			continue;
		sem->value = (int16_t)(value < 0 ? 0 : value > SEM_VALUE_MOST ? SEM_VALUE_MOST : value);
		sem->pid = pid;
	}
	sem_undo_free(undo);
	set->operation_time = ipc_now();
	sem_settle_all(set);
}

void sem_task_exit(struct task *task)
{
	struct process *process = task->process;
	struct sem_undos *undos = process->undos;
	struct sem_undo *undo;

	/* Several tasks may be ending at once: the last one that begins to end undoes. */
	if (!undos || process->ending < process->task_count)
		return;
	for (uint32_t index = 0; (undo = radix_next(&undos->by_set, &index));) {
		apply(undo, process->pid);
		(void)task_give_way();
	}
	process->undos = NULL;
	kfree(undos);
}
