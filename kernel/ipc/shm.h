/*
 * System V's shared memory (shmget(2), shmop(2), shmctl(2)): segments, which are memory objects that processes map.
 *
 * Together all segments have half of RAM at most, as a tmpfs has by default: a touch of a further page is SIGBUS.
 * Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/ipc/ipc.h"
#include "kernel/mm/user/memory_object.h"

#define SHM_DEST   01000U /* bit of the mode: the segment was removed, and goes with its last mapping */
#define SHM_LOCKED 02000U /* bit of the mode: locked in memory, as all memory is */

struct task;

/* A segment. Guard: tasks only, which the kernel does not preempt. */
struct shm_segment {
	struct memory_object object;      /* the object that areas map; must be the first member */
	struct ipc_object ipc;            /* counts a reference of each area, too */
	struct memory_object *memory;     /* the object that has the pages; a reference */
	uint64_t size;                    /* bytes, as shmget(2) was told; fixed when it is made */
	uint64_t attached;                /* number of areas that map it */
	uint64_t resident;                /* pages that have a frame */
	int64_t attach_time, detach_time; /* seconds by the wall clock; 0: never */
	/* pids of the process that made it, and of the one that attached or detached it last, or 0 */
	int creator_pid, last_pid;
	struct task *creator; /* the task that made it, which may have ended; a reference */
};

/*
 * The limits in /proc/sys/kernel, and the totals of all segments. Guard: tasks only, which the kernel does not preempt.
 */
extern struct ipc_table shm_table;
extern uint64_t shm_max;      /* most bytes of a segment: SHMMAX */
extern uint64_t shm_all;      /* most pages of all segments: SHMALL */
extern uint64_t shm_pages;    /* pages of all segments that are in the table */
extern uint64_t shm_resident; /* pages of all segments that have a frame */

/*
 * Make a segment for shmget(2). Returns its id; -EINVAL (size), -ENOSPC (shm_all, or too many segments), -ENOMEM (no
 * memory, or more than there is RAM).
 */
int shm_create(int key, uint64_t size, unsigned flags);

/* Return the segment that an object of shm_table belongs to; NULL for NULL. */
static inline struct shm_segment *shm_of(struct ipc_object *object)
{
	return object ? (struct shm_segment *)((char *)object - offsetof(struct shm_segment, ipc)) : NULL;
}

/* Return the segment that has this memory object; NULL: the object is not a segment's. */
struct shm_segment *shm_of_object(struct memory_object *object);

/* Take a reference to a segment, or drop one; dropping the last one frees it. */
void shm_hold(struct shm_segment *segment);
void shm_drop(struct shm_segment *segment);

/* Remove a segment: at once, or, if it is mapped, with the last mapping. */
void shm_remove(struct shm_segment *segment);

/* Return /proc/sys/kernel/shm_rmid_forced. */
bool shm_rmid_forced(void);

/*
 * Set /proc/sys/kernel/shm_rmid_forced. If it is set, each segment is removed with its last mapping, or, if it is not
 * mapped, when the task that made it ends; segments for which that has already happened are removed now. Returns 0;
 * -EINTR: the task must end, and some of them are still there.
 */
int shm_set_rmid_forced(bool forced);

/*
 * At the end of `task`, which must be the current one: if shm_rmid_forced is set, remove the segments that it made and
 * that are not mapped.
 */
void shm_task_exit(struct task *task);
