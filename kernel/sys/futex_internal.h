/*
 * What the files of futexes share: futex.c (queues), futex_pi.c (locks with priority inheritance), futex_robust.c (the
 * end of a task). Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/lib/tree.h"
#include "kernel/mm/user/uaccess.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/sys/futex.h"
#include "kernel/task/out_of_memory.h"
#include "kernel/task/process.h"

/* Bits of the word of a lock that is robust or has priority inheritance (futex(2), get_robust_list(2)). */
#define FUTEX_OWNER      0x3fffffffU /* the tid of the task that has the lock; 0: it is free */
#define FUTEX_OWNER_DIED 0x40000000U
#define FUTEX_WAITERS    0x80000000U

/* What identifies a futex word. */
struct futex_key {
	const void *owner; /* the user space, or the memory object (a file, shared memory), that has the word */
	uint64_t place;    /* the address in the space, or the offset in the object */
};

static inline bool futex_is_same(const struct futex_key *a, const struct futex_key *b)
{
	return a->place == b->place && a->owner == b->owner;
}

/* Return a hash of `bits` bits. */
static inline uint64_t futex_hash(const struct futex_key *key, unsigned bits)
{
	return (((uintptr_t)key->owner >> 4 ^ key->place >> 2) * 0x9e3779b97f4a7c15) >> (64 - bits);
}

/*
 * Find the key of the word at `at`. Returns 0, -EINVAL (not aligned), or -EFAULT (no user address; or not private, and
 * the word cannot be read), or -ERESTART_MEMORY.
 */
int futex_find_key(uint64_t at, bool private, struct futex_key *ret);

/* A task's wait for one word. Guard: tasks only, which the kernel does not preempt. */
struct futex_waiter {
	struct tree_node in_bucket;
	struct futex_key key;
	uint64_t order; /* the waiter's place in the queue: by its rank, then by its arrival (futex.c) */
	uint32_t bits;  /* only a wake with one of these bits ends the wait (FUTEX_WAIT_BITSET) */
	bool waits;     /* the waiter is in the queue of its word; false: its task has been woken */
	struct task *task;
};

/*
 * Put a waiter, whose key and task are set, into the queue of its word, behind those of the same or a higher real-time
 * priority; or take it out.
 */
void futex_enqueue(struct futex_waiter *waiter);
void futex_dequeue(struct futex_waiter *waiter);

/* Return whether a task waits in futex_wait() for the word. */
bool futex_is_waited_for(const struct futex_key *key);

/* How many locks have waiters in futex_lock_pi(). */
extern uint64_t futex_pi_locks;

/* Return whether a task waits in futex_lock_pi() for the word; for futex_is_pi(). */
bool futex_pi_find(const struct futex_key *key);

/* Return whether a task waits in futex_lock_pi() for the word: other operations on it are -EINVAL then. */
static inline bool futex_is_pi(const struct futex_key *key)
{
	return futex_pi_locks && futex_pi_find(key);
}

/*
 * Give each lock of `task` for which others wait in futex_lock_pi() to the first of them. Called by the current task
 * for itself, when it ends or leaves its program.
 */
void futex_pi_give_up(struct task *task);

/*
 * If a user copy has failed for lack of memory, find memory for it, if need be by killing a process, and return whether
 * to repeat the copy. When a copy fails so in a system call, the whole call is made again; where there is no call to
 * make again, the copy itself is repeated.
 */
static inline bool futex_copy_again(enum status status)
{
	return status == ERR_NO_MEMORY && task_find_memory();
}
