/*
 * Locks with priority inheritance. The kernel knows a lock only while tasks wait for it. The waiters stand in the order
 * of their priorities, and the task that unlocks gives the lock to the first of them.
 */
#include "kernel/sys/futex_pi.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/list.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/futex_internal.h"
#include "kernel/task/find.h"
#include "kernel/task/give_way.h"
#include "kernel/task/sched.h"
#include "kernel/task/wait_until.h"

#define BUCKET_BITS 6
#define CHAIN_MOST  1024 /* locks that are followed, each waited for by the owner of the one before: Linux's limit */

/* A waiting task; lies on that task's kernel stack. Guard: tasks only, which the kernel does not preempt. */
struct pi_waiter {
	struct link link; /* place in lock->waiters, until the task has the lock */
	struct pi_lock *lock;
	struct task *task;
	int priority; /* the task's place in that list is by this real-time priority; 0: none */
	bool owns;    /* the lock has been given to the task */
};

/* A lock that tasks wait for. Guard: tasks only, which the kernel does not preempt. */
struct pi_lock {
	struct link in_bucket;
	struct link in_owner; /* in owner->futexes.owned */
	struct futex_key key;
	struct task *owner;  /* without a reference, since a task gives up its locks before it ends */
	struct link waiters; /* struct pi_waiter by link; the highest priority first, and of equal ones the oldest */
	bool unwritten;      /* the previous owner has died, and `owner` has not written its tid to the word yet */
};

/* Guard: tasks only, which the kernel does not preempt. */
uint64_t futex_pi_locks;
static struct link buckets[1 << BUCKET_BITS];

static struct link *bucket_of(const struct futex_key *key)
{
	struct link *bucket = &buckets[futex_hash(key, BUCKET_BITS)];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static struct pi_lock *find(const struct futex_key *key)
{
	LIST_EACH(bucket_of(key), struct pi_lock, in_bucket, lock)
		if (futex_is_same(&lock->key, key))
			return lock;
	return NULL;
}

bool futex_pi_find(const struct futex_key *key)
{
	return find(key);
}

/* ---- who owns, and what waiters lend ---- */

static struct link *owned_by(struct task *task)
{
	if (!task->futexes.owned.next)
		list_init(&task->futexes.owned);
	return &task->futexes.owned;
}

static struct pi_waiter *first_waiter(const struct pi_lock *lock)
{
	return list_is_empty(&lock->waiters) ? NULL : list_item(lock->waiters.next, struct pi_waiter, link);
}

static int priority_of(const struct task *task)
{
	return task->rank < 0 ? -task->rank : 0;
}

/* Put a waiter into its lock's list, at the place that its task's priority now gives. */
static void stand(struct pi_waiter *waiter)
{
	struct link *behind = waiter->lock->waiters.prev;

	waiter->priority = priority_of(waiter->task);
	while (behind != &waiter->lock->waiters &&
	       list_item(behind, struct pi_waiter, link)->priority < waiter->priority)
		behind = behind->prev;
	list_add_behind(behind, &waiter->link);
}

/*
 * Give a task the highest priority of the tasks that wait for its locks, and then do the same for the owner of the lock
 * that this task itself waits for, and so on.
 */
static void lend(struct task *task)
{
	for (int i = 0; i < CHAIN_MOST; i++) {
		struct pi_waiter *waiter = task->futexes.waiter;
		int priority = 0;

		LIST_EACH(owned_by(task), struct pi_lock, in_owner, lock) {
			const struct pi_waiter *first = first_waiter(lock);

			if (first && first->priority > priority)
				priority = first->priority;
		}
		sched_lend(task, priority);
		if (!waiter || waiter->priority == priority_of(task))
			return;
		list_remove(&waiter->link);
		stand(waiter);
		task = waiter->lock->owner;
	}
}

void futex_pi_new_priority(struct task *task)
{
	if (task->futexes.waiter)
		lend(task);
}

static void own(struct pi_lock *lock, struct task *task)
{
	lock->owner = task;
	list_add_last(owned_by(task), &lock->in_owner);
}

static struct pi_lock *create(const struct futex_key *key, struct task *owner)
{
	struct pi_lock *lock = kzalloc(sizeof(*lock));

	if (!lock)
		return NULL;
	lock->key = *key;
	list_init(&lock->waiters);
	list_add_last(bucket_of(key), &lock->in_bucket);
	own(lock, owner);
	futex_pi_locks++;
	return lock;
}

/* Forget a lock if nobody waits for it. */
static void settle(struct pi_lock *lock)
{
	if (lock->unwritten || first_waiter(lock))
		return;
	list_remove(&lock->in_bucket);
	list_remove(&lock->in_owner);
	futex_pi_locks--;
	kfree(lock);
}

/*
 * Give a lock to its first waiter. The caller writes the word, or sets lock->unwritten, before, and afterwards calls
 * lend() for the task that owned the lock.
 */
static void give(struct pi_lock *lock)
{
	struct pi_waiter *next = first_waiter(lock);

	list_remove(&next->link);
	list_remove(&lock->in_owner);
	own(lock, next->task);
	next->owns = true;
	next->task->futexes.waiter = NULL;
	task_wake(next->task);
	settle(lock);
	lend(next->task);
}

/*
 * Return whether the lock's owner waits for a lock of the current task, directly or through the owners of other locks.
 */
static bool is_deadlock(const struct pi_lock *lock)
{
	for (int i = 0; i < CHAIN_MOST; i++) {
		if (lock->owner == task_current())
			return true;
		if (!lock->owner->futexes.waiter)
			return false;
		lock = lock->owner->futexes.waiter->lock;
	}
	return true;
}

/* ---- locking ---- */

/*
 * Find the task whose tid is in a locked word. Returns 0, -ESRCH (no such task, or it has ended), -EPERM (a kernel
 * task).
 */
static int find_owner(uint32_t word, struct task **ret)
{
	struct task *task = task_peek((int)(word & FUTEX_OWNER));

	if (task && !task->fpu)
		return -EPERM;
	if (!task || !task->process || task->futexes.ended)
		return -ESRCH;
	*ret = task;
	return 0;
}

/*
 * Make one attempt to lock a word that no other task waits for. *ret_again: the word has changed meanwhile, so the
 * attempt must be repeated. *ret_lock becomes the new lock that is to be waited for, or NULL: the current task has the
 * lock. Returns 0 or an error.
 */
static int attempt(uint64_t at, const struct futex_key *key, uint32_t word, struct pi_lock **ret_lock, bool *ret_again)
{
	uint32_t wanted = (word & FUTEX_OWNER_DIED) | (uint32_t)task_current()->tid, seen;
	struct task *owner = NULL;
	int error = 0, found = 0;

	if (word & FUTEX_OWNER) {
		found = find_owner(word, &owner);
		wanted = found ? word : word | FUTEX_WAITERS;
	}
	/*
	 * If no owner was found, the word is only written back unchanged, to see whether it still has this value: an
	 * owner that has ended may have unlocked it before, and then the attempt is repeated.
	 */
	error = copy_errno(user_cmpxchg_u32(user_pointer(at), word, wanted, &seen));
	if (error)
		return error;
	*ret_again = seen != word;
	if (*ret_again)
		return 0;
	*ret_lock = NULL;
	if (!owner)
		return found;
	*ret_lock = create(key, owner);
	return *ret_lock ? 0 : -ENOMEM;
}

/*
 * Lock the word, or find the lock to wait for. *ret_lock becomes that lock, or NULL: the current task has locked the
 * word. Returns 0 or an error.
 */
static int lock_or_find(uint64_t at, const struct futex_key *key, struct pi_lock **ret_lock)
{
	bool again = true;
	uint32_t word;
	int error;

	while (again) {
		error = copy_errno(get_user_u32(user_pointer(at), &word));
		if (error)
			return error;
		*ret_lock = find(key);
		if ((word & FUTEX_OWNER) == (uint32_t)task_current()->tid && !(*ret_lock && (*ret_lock)->unwritten))
			return -EDEADLK;
		if (*ret_lock)
			return (*ret_lock)->unwritten || (*ret_lock)->owner->tid == (int)(word & FUTEX_OWNER) ? 0
													      : -EINVAL;
		if (futex_is_waited_for(key))
			return -EINVAL;
		error = attempt(at, key, word, ret_lock, &again);
		if (error)
			return error;
		/* Another thread may change the word again and again, so this loop must let others run. */
		if (again && task_give_way())
			return -EINTR;
	}
	return 0;
}

/*
 * Write the current task's tid, and that the previous owner has died, to the word of a lock that has been given to the
 * task. If the task must end the word may stay as it is: futex_pi_give_up() then gives the lock to the next waiter.
 */
static void write_owner(uint64_t at, struct pi_lock *lock)
{
	const uint32_t mine = (uint32_t)task_current()->tid | FUTEX_WAITERS | FUTEX_OWNER_DIED;
	uint32_t word, seen;
	enum status status;

	do {
		do
			status = get_user_u32(user_pointer(at), &word);
		while (futex_copy_again(status));
		if (status != OK)
			break;
		do
			status = user_cmpxchg_u32(user_pointer(at), word, mine, &seen);
		while (futex_copy_again(status));
		/* Another thread may change the word again and again, so this loop must let others run. */
	} while (status == OK && seen != word && !task_give_way());
	lock->unwritten = false;
	settle(lock);
}

int futex_lock_pi(uint64_t at, bool private, enum timer_clock clock, uint64_t deadline_ns)
{
	struct pi_waiter waiter = { .task = task_current() };
	struct futex_key key;
	int error = futex_find_key(at, private, &key);

	if (!error)
		error = lock_or_find(at, &key, &waiter.lock);
	if (error || !waiter.lock)
		return error;
	if (is_deadlock(waiter.lock)) {
		settle(waiter.lock);
		return -EDEADLK;
	}
	waiter.task->futexes.waiter = &waiter;
	stand(&waiter);
	lend(waiter.lock->owner);
	error = WAIT_UNTIL_BY(clock, waiter.owns, deadline_ns);
	if (error) {
		struct task *owner = waiter.lock->owner;

		waiter.task->futexes.waiter = NULL;
		list_remove(&waiter.link);
		settle(waiter.lock);
		lend(owner);
		return error;
	}
	/*
	 * The lock may have been forgotten meanwhile, but not if its previous owner has died: then it is kept until the
	 * word is written.
	 */
	waiter.lock = find(&key);
	if (waiter.lock && waiter.lock->unwritten && waiter.lock->owner == waiter.task)
		write_owner(at, waiter.lock);
	return 0;
}

int futex_trylock_pi(uint64_t at, bool private)
{
	struct futex_key key;
	struct pi_lock *lock = NULL;
	int error = futex_find_key(at, private, &key);

	if (!error)
		error = lock_or_find(at, &key, &lock);
	if (error || !lock)
		return error;
	settle(lock);
	return -EAGAIN;
}

int futex_unlock_pi(uint64_t at, bool private)
{
	const uint32_t tid = (uint32_t)task_current()->tid;
	uint32_t word, seen, wanted;
	struct futex_key key;
	struct pi_lock *lock;
	int error = futex_find_key(at, private, &key);

	if (error)
		return error;
	for (;;) {
		error = copy_errno(get_user_u32(user_pointer(at), &word));
		if (error)
			return error;
		if ((word & FUTEX_OWNER) != tid)
			return -EPERM;
		lock = find(&key);
		if (lock ? lock->owner != task_current() : futex_is_waited_for(&key))
			return -EINVAL;
		wanted = lock ? (uint32_t)first_waiter(lock)->task->tid | FUTEX_WAITERS : 0;
		error = copy_errno(user_cmpxchg_u32(user_pointer(at), word, wanted, &seen));
		if (error)
			return error;
		if (seen == word)
			break;
		if (task_give_way())
			return -EINTR;
	}
	if (lock) {
		give(lock);
		lend(task_current());
	}
	return 0;
}

void futex_pi_give_up(struct task *task)
{
	struct link *owned = owned_by(task);

	if (list_is_empty(owned))
		return;
	while (!list_is_empty(owned)) {
		struct pi_lock *lock = list_item(owned->next, struct pi_lock, in_owner);

		lock->unwritten = true;
		give(lock);
	}
	/*
	 * Call lend() once, and not for each lock: it looks at all locks that are left, of which there may be
	 * thousands.
	 */
	lend(task);
}
