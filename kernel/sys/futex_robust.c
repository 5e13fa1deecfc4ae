/*
 * What the end of a task does to its futexes: robust mutexes say that their owner has died (get_robust_list(2)), locks
 * with priority inheritance are given to their first waiters, and tasks that wait for the thread's end are woken.
 */
#include "kernel/sys/futex.h"

#include "kernel/sys/futex_internal.h"
#include "kernel/task/give_way.h"

#define ROBUST_MOST 2048 /* most entries of a list that are followed, as it may be a ring: Linux's ROBUST_LIST_LIMIT */
#define ROBUST_PI   1ULL /* bit in an entry's address: a lock with priority inheritance (futex_pi.h) */

/* Linux's struct robust_list_head. `first` and `pending` are user addresses of entries. */
struct robust_head {
	uint64_t first;
	int64_t offset; /* bytes from an entry to its mutex's word */
	uint64_t pending;
};

static enum status read_word(uint64_t at, uint32_t *ret)
{
	enum status status;

	do
		status = get_user_u32(user_pointer(at), ret);
	while (futex_copy_again(status));
	return status;
}

/*
 * Release the robust mutex with the word at `at` if `task` owns it: set FUTEX_OWNER_DIED and wake a waiter. `pending`:
 * the task was in the middle of locking or unlocking the mutex, so a waiter is woken even if the mutex is unlocked.
 */
static void give_up(const struct task *task, uint64_t at, bool pending)
{
	enum status status;
	uint32_t word, seen;

	if ((at & 3) || read_word(at, &word) != OK)
		return;
	if (pending && !(word & FUTEX_OWNER)) {
		(void)futex_wake(at, false, 1, FUTEX_ANY);
		return;
	}
	while ((word & FUTEX_OWNER) == (uint32_t)task->tid) {
		do
			status = user_cmpxchg_u32(user_pointer(at), word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED,
						  &seen);
		while (futex_copy_again(status));
		if (status != OK)
			return;
		if (seen == word) {
			if (word & FUTEX_WAITERS)
				(void)futex_wake(at, false, 1, FUTEX_ANY);
			return;
		}
		word = seen;
		/* Another process may change the word again and again, so this loop must let others run. */
		(void)task_give_way();
	}
}

static void give_up_robust(const struct task *task)
{
	uint64_t entry, next, pending;
	struct robust_head head;
	enum status status;

	do
		status = copy_from_user(&head, user_pointer(task->futexes.robust_list), sizeof(head));
	while (futex_copy_again(status));
	if (status != OK)
		return;
	pending = head.pending & ~ROBUST_PI;
	entry = head.first & ~ROBUST_PI;
	for (int i = 0; i < ROBUST_MOST && entry != task->futexes.robust_list; i++) {
		/* Read the next entry before the mutex is released: its new owner may free or change this entry. */
		do
			status = get_user_u64(user_pointer(entry), &next);
		while (futex_copy_again(status));
		if (entry != pending)
			give_up(task, entry + (uint64_t)head.offset, false);
		if (status != OK)
			return;
		entry = next & ~ROBUST_PI;
		/* Let other tasks run, as each entry may cost several page faults. */
		(void)task_give_way();
	}
	if (pending)
		give_up(task, pending + (uint64_t)head.offset, true);
}

void futex_task_exit(struct task *task)
{
	enum status status;

	futex_pi_give_up(task);
	if (task->futexes.robust_list)
		give_up_robust(task);
	if (!task->clear_child_tid)
		return;
	do
		status = put_user_u32(user_pointer(task->clear_child_tid), 0);
	while (futex_copy_again(status));
	if (status == OK)
		(void)futex_wake(task->clear_child_tid, false, 1, FUTEX_ANY);
}

void futex_task_end(struct task *task)
{
	task->futexes.ended = true;
	futex_pi_give_up(task);
}
