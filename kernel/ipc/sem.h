/*
 * System V's semaphores (semget(2), semop(2), semctl(2)): sets of counters on which operations are done together or
 * not at all. Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/ipc/ipc.h"
#include "kernel/lib/list.h"

#define SEM_VALUE_MOST 32767 /* SEMVMX */
/* highest SEMMSL: some calls look at all semaphores of a set without letting other tasks run */
#define SEM_SET_MOST  32000
#define SEM_CALL_MOST 1024   /* highest SEMOPM: one change may try the operations of 64 waiters */
#define SEM_UNDO      010000 /* flag of an operation: the end of the process undoes the operation */

struct process;
struct sem_undo;
struct task;

/* An operation: Linux's struct sembuf. */
struct sem_operation {
	uint16_t number; /* index of the semaphore in the set */
	int16_t change;  /* added to the value; 0: wait until the value is 0 */
	int16_t flags;   /* IPC_NOWAIT, SEM_UNDO */
};

/* A semaphore. Guard: tasks only, which the kernel does not preempt. */
struct sem {
	int16_t value;        /* 0 to SEM_VALUE_MOST */
	bool changed;         /* settle_after() is to try this semaphore's waiters */
	int pid;              /* pid of the process that did the last operation; 0: none did */
	struct link for_zero; /* waiters with one operation, which waits until the value is 0; the oldest first */
	struct link for_more; /* waiters with one operation, which takes from the value; the oldest first */
};

/* A set. Guard: tasks only, which the kernel does not preempt. */
struct sem_set {
	struct ipc_object ipc;
	int64_t operation_time; /* seconds by the wall clock; 0: never */
	struct link complex;    /* waiters with several operations, the oldest first */
	struct link undos;      /* list of what the ends of processes will undo, by sem_undo.in_set */
	uint32_t count;         /* number of semaphores; fixed when it is made */
	uint64_t settings;      /* how often sem_set_values() was called, which makes all undos zeros */
	struct sem sems[];
};

/* The limits in /proc/sys/kernel/sem. Guard: tasks only, which the kernel does not preempt. */
struct sem_limits {
	int set;        /* most semaphores of a set: SEMMSL */
	int all;        /* most semaphores of all sets together: SEMMNS */
	int operations; /* most operations of one semop(2): SEMOPM */
};

extern struct ipc_table sem_table;
extern struct sem_limits sem_limits;
extern uint32_t sem_used; /* number of all semaphores */

static inline struct sem_set *sem_of(struct ipc_object *object)
{
	return object ? (struct sem_set *)((char *)object - offsetof(struct sem_set, ipc)) : NULL;
}

/* Make a set for semget(2). Returns its id; -EINVAL (count), -ENOSPC (too many), -ENOMEM. */
int sem_create(int key, int count, unsigned flags);

/* Remove a set: waiters return -EIDRM. */
void sem_remove(struct sem_set *set);

/*
 * Do semop(2): all `count` operations at once, or none. The caller has checked that the set has their semaphores. The
 * current task waits until the operations are possible, or until the deadline. Returns 0; -EAGAIN (the deadline, or
 * IPC_NOWAIT), -EINTR, -EIDRM, -ERANGE (a value, or what is to be undone, would be too large), -ENOMEM (for what is to
 * be undone); nothing is done then.
 */
int sem_operate(struct sem_set *set, const struct sem_operation *operations, unsigned count, uint64_t deadline_ns);

/*
 * Set the value of a semaphore, or those of all, and forget what was to be undone to them. Then do the operations of
 * waiters that are possible now.
 */
void sem_set_value(struct sem_set *set, uint32_t number, int value);
void sem_set_values(struct sem_set *set, const uint16_t *values);

/* Do the operations of waiters that are possible now that any of the values may have changed. */
void sem_settle_all(struct sem_set *set);

/* Return how many tasks wait for a semaphore to grow, or to become 0: GETNCNT, GETZCNT. */
int sem_waiters(const struct sem_set *set, uint32_t number, bool for_zero);

/* ---- what is undone: sem_undo.c ---- */

/* What the end of a process does to a set. Guard: tasks only, which the kernel does not preempt. */
struct sem_undo {
	struct link in_set; /* place in set->undos */
	struct sem_set *set;
	struct sem_undos *owner; /* all undos of the process */
	uint64_t settings;       /* set->settings at the last use; if that has changed, `changes` count as zeros */
	int16_t changes[];       /* what the end of the process adds to each semaphore */
};

/*
 * Return the current process's undo for a set, made if there is none; NULL: no memory, or undos have too much already.
 */
struct sem_undo *sem_undo_get(struct sem_set *set);

/* Make the changes of an undo zeros if all values of its set were set since it was last used. */
void sem_undo_refresh(struct sem_undo *undo);

/* Free an undo, when it has been done or its set is removed. */
void sem_undo_free(struct sem_undo *undo);

/* Do all undos of a process when its last task begins to end. `task`: the current task, which begins to end. */
void sem_task_exit(struct task *task);
