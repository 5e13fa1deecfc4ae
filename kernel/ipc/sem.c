/*
 * Makes sets of System V's semaphores, does operations on them, and serves tasks that wait for them; see sem.h.
 *
 * A task that changes a semaphore does the operations of waiters that have become possible, those of each list in the
 * order in which they came, and wakes these waiters. So a waiter gets what was given, even if the giver takes again at
 * once.
 */
#include "kernel/ipc/sem.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/process.h"
#include "kernel/task/wait_until.h"

#define SEMMNI  32000
#define WAITING 1 /* the result of operations that cannot be done yet */
/* waiters with several operations that one change tries; it wakes further ones to try for themselves */
#define TRIES_MOST 64
#define HEAP_SHARE 8 /* all sets together have an eighth of RAM at most */

/* A waiting task; lies on that task's kernel stack. Guard: tasks only, which the kernel does not preempt. */
struct sem_waiter {
	struct link link; /* place in a list of its semaphore, or in set->complex */
	const struct sem_operation *operations;
	unsigned count;
	unsigned blocking;     /* the operation that could not be done */
	int result;            /* WAITING, or what sem_operate() is to return: then the waiter is in no list */
	bool retries;          /* the task is to try its operations itself */
	struct sem_undo *undo; /* takes note of what is to be undone; NULL: nothing is */
	struct task *task;
	int pid;
};

struct ipc_table sem_table = IPC_TABLE_INITIAL(SEMMNI);
struct sem_limits sem_limits = { .set = SEM_SET_MOST, .all = 1024000000, .operations = 500 };
uint32_t sem_used; /* number of all semaphores; guard: tasks only, which the kernel does not preempt */

/* ---- sets ---- */

int sem_create(int key, int count, unsigned flags)
{
	const uint64_t most = machine_frames.total * PAGE_SIZE / HEAP_SHARE / sizeof(struct sem);
	struct sem_set *set;
	int id;

	if (count <= 0)
		return -EINVAL;
	if ((uint64_t)sem_used + (uint32_t)count > (uint32_t)sem_limits.all || sem_used + (uint64_t)count > most)
		return -ENOSPC;
	set = kzalloc(sizeof(*set) + (size_t)count * sizeof(set->sems[0]));
	if (!set)
		return -ENOMEM;
	list_init(&set->complex);
	list_init(&set->undos);
	set->count = (uint32_t)count;
	for (uint32_t i = 0; i < set->count; i++) {
		list_init(&set->sems[i].for_zero);
		list_init(&set->sems[i].for_more);
	}
	id = ipc_add(&sem_table, &set->ipc, key, flags);
	if (id < 0)
		kfree(set);
	else
		sem_used += set->count;
	return id;
}

/* End a wait with a result. */
static void finish(struct sem_waiter *waiter, int result)
{
	list_remove(&waiter->link);
	waiter->result = result;
	task_wake(waiter->task);
}

static void finish_all(struct link *list, int result)
{
	LIST_EACH_LEAVING(list, struct sem_waiter, link, waiter)
		finish(waiter, result);
}

void sem_remove(struct sem_set *set)
{
	LIST_EACH_LEAVING(&set->undos, struct sem_undo, in_set, undo)
		sem_undo_free(undo);
	finish_all(&set->complex, -EIDRM);
	for (uint32_t i = 0; i < set->count; i++) {
		finish_all(&set->sems[i].for_zero, -EIDRM);
		finish_all(&set->sems[i].for_more, -EIDRM);
	}
	sem_used -= set->count;
	ipc_remove(&sem_table, &set->ipc);
	kfree(set);
}

/* ---- operations ---- */

/* Do one operation. Returns 0; or WAITING or -ERANGE, with the semaphore as before. */
static int do_one(struct sem_set *set, const struct sem_operation *operation, struct sem_undo *undo)
{
	struct sem *sem = &set->sems[operation->number];
	const int value = sem->value + operation->change;
	int16_t *undone = undo && operation->flags & SEM_UNDO ? &undo->changes[operation->number] : NULL;

	if (value < 0 || (!operation->change && value))
		return WAITING;
	if (value > SEM_VALUE_MOST)
		return -ERANGE;
	if (undone) {
		const int change = *undone - operation->change;

		if (change < -SEM_VALUE_MOST - 1 || change > SEM_VALUE_MOST)
			return -ERANGE;
		*undone = (int16_t)change;
	}
	sem->value = (int16_t)value;
	return 0;
}

static void undo_one(struct sem_set *set, const struct sem_operation *operation, struct sem_undo *undo)
{
	struct sem *sem = &set->sems[operation->number];

	sem->value = (int16_t)(sem->value - operation->change);
	if (undo && operation->flags & SEM_UNDO)
		undo->changes[operation->number] = (int16_t)(undo->changes[operation->number] + operation->change);
}

/* Do all operations of a waiter, or none. Returns 0, WAITING, -EAGAIN (IPC_NOWAIT says not to wait), -ERANGE. */
static int attempt(struct sem_set *set, struct sem_waiter *waiter)
{
	int result = 0;
	unsigned i = 0;

	if (waiter->undo)
		sem_undo_refresh(waiter->undo);
	for (; i < waiter->count; i++) {
		result = do_one(set, &waiter->operations[i], waiter->undo);
		if (result)
			break;
	}
	if (!result) {
		for (i = 0; i < waiter->count; i++)
			set->sems[waiter->operations[i].number].pid = waiter->pid;
		set->operation_time = ipc_now();
		return 0;
	}
	waiter->blocking = i;
	if (result == WAITING && waiter->operations[i].flags & IPC_NOWAIT)
		result = -EAGAIN;
	while (i--)
		undo_one(set, &waiter->operations[i], waiter->undo);
	return result;
}

static void try_list(struct sem_set *set, struct link *list)
{
	LIST_EACH_LEAVING(list, struct sem_waiter, link, waiter) {
		int result = attempt(set, waiter);

		if (result != WAITING)
			finish(waiter, result);
	}
}

/*
 * After a change of a semaphore's value: do the operations that have become possible, of waiters with a single
 * operation.
 */
static void settle(struct sem_set *set, uint32_t number)
{
	struct sem *sem = &set->sems[number];

	if (!sem->value)
		try_list(set, &sem->for_zero);
	if (!sem->value || list_is_empty(&sem->for_more))
		return;
	LIST_EACH_LEAVING(&sem->for_more, struct sem_waiter, link, waiter) {
		int result = attempt(set, waiter);

		if (result != WAITING)
			finish(waiter, result);
		if (!sem->value)
			break;
	}
	if (!sem->value)
		try_list(set, &sem->for_zero);
}

/*
 * Call settle() for the semaphores that these operations have changed: once for each, since many operations may change
 * one semaphore, for which many tasks wait.
 */
static void settle_after(struct sem_set *set, const struct sem_operation *operations, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (operations[i].change)
			set->sems[operations[i].number].changed = true;
	for (unsigned i = 0; i < count; i++) {
		struct sem *sem = &set->sems[operations[i].number];

		if (sem->changed)
			settle(set, operations[i].number);
		sem->changed = false;
	}
}

/* Do the operations that are possible now of waiters with several operations. */
static void settle_complex(struct sem_set *set)
{
	struct link *at = set->complex.next;
	unsigned tries = 0;

	while (at != &set->complex) {
		struct sem_waiter *waiter = list_item(at, struct sem_waiter, link);
		int result;

		at = at->next;
		if (tries++ >= TRIES_MOST) {
			waiter->retries = true;
			task_wake(waiter->task);
			continue;
		}
		result = attempt(set, waiter);
		if (result == WAITING)
			continue;
		finish(waiter, result);
		/* These operations may have made those of waiters in front of this one possible, so begin anew. */
		if (!result) {
			settle_after(set, waiter->operations, waiter->count);
			at = set->complex.next;
		}
	}
}

void sem_settle_all(struct sem_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		settle(set, i);
	settle_complex(set);
}

void sem_set_value(struct sem_set *set, uint32_t number, int value)
{
	LIST_EACH(&set->undos, struct sem_undo, in_set, undo)
		undo->changes[number] = 0;
	set->sems[number].value = (int16_t)value;
	set->sems[number].pid = process_current()->pid;
	set->ipc.change_time = ipc_now();
	settle(set, number);
	settle_complex(set);
}

void sem_set_values(struct sem_set *set, const uint16_t *values)
{
	set->settings++;
	for (uint32_t i = 0; i < set->count; i++) {
		set->sems[i].value = (int16_t)values[i];
		set->sems[i].pid = process_current()->pid;
	}
	set->ipc.change_time = ipc_now();
	sem_settle_all(set);
}

static bool changes_any(const struct sem_waiter *waiter)
{
	for (unsigned i = 0; i < waiter->count; i++)
		if (waiter->operations[i].change)
			return true;
	return false;
}

/*
 * Try the operations of a waiter; if they were done, also do those of other waiters that have become possible. Returns
 * as attempt().
 */
static int try_and_settle(struct sem_set *set, struct sem_waiter *waiter)
{
	int result = attempt(set, waiter);

	if (!result && changes_any(waiter)) {
		settle_after(set, waiter->operations, waiter->count);
		settle_complex(set);
	}
	return result;
}

/* Return whether a waiter has its result. If the task is to try its operations itself, do that first. */
static bool is_done(struct sem_set *set, struct sem_waiter *waiter)
{
	int result;

	if (waiter->result == WAITING && waiter->retries) {
		waiter->retries = false;
		list_remove(&waiter->link);
		result = try_and_settle(set, waiter);
		if (result == WAITING)
			list_add_last(&set->complex, &waiter->link);
		waiter->result = result;
	}
	return waiter->result != WAITING;
}

static void enqueue(struct sem_set *set, struct sem_waiter *waiter)
{
	struct sem *sem = &set->sems[waiter->operations[0].number];

	if (waiter->count > 1)
		list_add_last(&set->complex, &waiter->link);
	else
		list_add_last(waiter->operations[0].change ? &sem->for_more : &sem->for_zero, &waiter->link);
}

int sem_operate(struct sem_set *set, const struct sem_operation *operations, unsigned count, uint64_t deadline_ns)
{
	struct sem_waiter waiter = {
		.operations = operations, .count = count, .task = task_current(), .pid = process_current()->pid
	};
	bool undoes = false;
	int error;

	for (unsigned i = 0; i < count; i++)
		undoes |= operations[i].flags & SEM_UNDO;
	if (undoes) {
		waiter.undo = sem_undo_get(set);
		if (!waiter.undo)
			return -ENOMEM;
	}
	waiter.result = try_and_settle(set, &waiter);
	if (waiter.result != WAITING)
		return waiter.result;
	enqueue(set, &waiter);
	/* The set stays as long as the waiter is in its lists: sem_remove() first gives each waiter a result. */
	error = WAIT_UNTIL(is_done(set, &waiter), deadline_ns);
	if (!error)
		return waiter.result;
	list_remove(&waiter.link);
	return error == -ETIMEDOUT ? -EAGAIN : error;
}

/* ---- how many wait ---- */

static int length(const struct link *list)
{
	int count = 0;

	for (const struct link *at = list->next; at != list; at = at->next)
		count++;
	return count;
}

int sem_waiters(const struct sem_set *set, uint32_t number, bool for_zero)
{
	const struct sem *sem = &set->sems[number];
	int count = length(for_zero ? &sem->for_zero : &sem->for_more);

	/* As on Linux, a task with several operations counts for the one that it waits for. */
	LIST_EACH(&set->complex, const struct sem_waiter, link, waiter) {
		const struct sem_operation *blocking = &waiter->operations[waiter->blocking];

		count += blocking->number == number && !blocking->change == for_zero;
	}
	return count;
}
