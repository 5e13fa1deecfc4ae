/*
 * Shared by System V's shared memory, semaphores and message queues (svipc(7)): objects with an owner and permissions,
 * which are found by a key or by an id. Guard of all: tasks only, which the kernel does not preempt.
 *
 * An id is an object's index in its table, and above that a sequence number, so that the id of an object that was
 * removed does not soon lead to another one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/radix.h"

#define IPC_PRIVATE 0 /* the key of objects that are found by their id only */
#define IPC_CREAT   01000
#define IPC_EXCL    02000
#define IPC_NOWAIT  04000

#define IPC_INDEX_BITS  15
#define IPC_OBJECTS     (1 << IPC_INDEX_BITS) /* most objects of a table: Linux's IPCMNI */
#define IPC_PERMISSIONS 0777U

#define IPC_READ  0444U /* the permission bits to pass to ipc_permits() */
#define IPC_WRITE 0222U

/*
 * The part that all kinds of objects have. Each kind puts it into its own structure. Guard: tasks only, which the
 * kernel does not preempt.
 */
struct ipc_object {
	int key;                           /* IPC_PRIVATE: none */
	uint32_t uid, gid;                 /* the owner */
	uint32_t creator_uid, creator_gid; /* the creator */
	uint32_t mode;                     /* permissions, and flags of the kind of object */
	/* when the object was made, or changed by IPC_SET or the like: seconds by the wall clock */
	int64_t change_time;
	uint32_t index, sequence; /* the two parts of its id */
	bool gone;                /* the object is in no table any more: EIDRM */
	uint64_t refs;            /* references: one of the table, and those of calls */
};

/* All objects of one kind. Guard: tasks only, which the kernel does not preempt. */
struct ipc_table {
	struct radix objects; /* the objects by index */
	struct radix keys;    /* the objects that have a key, by key */
	uint32_t count;       /* number of objects */
	int last_index;       /* index of the object that was added last; -1: none was */
	uint32_t sequence;    /* sequence number of the object that was added last */
	int next_id;          /* /proc/sys/kernel/…_next_id: the id that the next object is to have; -1: any */
	int most;             /* most objects: SHMMNI, SEMMNI or MSGMNI */
};

#define IPC_TABLE_INITIAL(limit)                                                                             \
	{                                                                                                    \
		.objects = { .alloc = kzalloc, .free = kfree }, .keys = { .alloc = kzalloc, .free = kfree }, \
		.last_index = -1, .next_id = -1, .most = (limit)                                             \
	}

static inline int ipc_id(const struct ipc_object *object)
{
	return (int)(object->sequence << IPC_INDEX_BITS | object->index);
}

/*
 * Look up the object with `key` for shmget(2), semget(2) or msgget(2). *ret becomes the object, not held, or NULL: the
 * caller is to make one. Returns 0; -ENOENT (none, and no IPC_CREAT), -EEXIST (IPC_EXCL).
 */
int ipc_look_up(const struct ipc_table *table, int key, unsigned flags, struct ipc_object **ret);

/*
 * Enter a new object into its table, with the current task as owner and creator, and the permissions of `flags`. Sets
 * object->refs to 1: that reference is the table's. Returns the object's id; -ENOSPC (too many), -ENOMEM; nothing is
 * entered then.
 */
int ipc_add(struct ipc_table *table, struct ipc_object *object, int key, unsigned flags);

/* Take an object out of its table. The table's reference becomes the caller's. */
void ipc_remove(struct ipc_table *table, struct ipc_object *object);

/* Take an object's key away: from now on it is found by its id only. */
void ipc_forget_key(struct ipc_table *table, struct ipc_object *object);

/* Return the object of an id, not held; NULL: there is none (-EINVAL). */
struct ipc_object *ipc_find(const struct ipc_table *table, int id);

/* How an object is found whose state is asked for. */
enum ipc_stat_by {
	IPC_BY_ID,        /* IPC_STAT */
	IPC_BY_INDEX,     /* SHM_STAT, SEM_STAT, MSG_STAT */
	IPC_BY_INDEX_ANY, /* SHM_STAT_ANY, SEM_STAT_ANY, MSG_STAT_ANY: the current task needs no permission */
};

/*
 * Look up the object whose state is asked for; `number` is an id or an index. *ret becomes the object, not held.
 * Returns 0; -EINVAL (there is none), -EACCES (the current task may not read it).
 */
int ipc_find_to_stat(const struct ipc_table *table, int number, enum ipc_stat_by by, struct ipc_object **ret);

/*
 * Look up the object of an id that the current task wants to remove or to give to another owner: IPC_RMID, IPC_SET.
 * *ret becomes the object, not held. Returns 0; -EINVAL (there is none); -EPERM: the task is neither the owner nor the
 * creator, and has no CAP_SYS_ADMIN.
 */
int ipc_find_owned(const struct ipc_table *table, int id, struct ipc_object **ret);

/* Return the object with the least index from *index on, not held, and set *index to that; NULL: there is none. */
struct ipc_object *ipc_next(const struct ipc_table *table, uint32_t *index);

/* Return the highest index in use; 0 also when there is none: the result of IPC_INFO, SHM_INFO and the like. */
int ipc_top(const struct ipc_table *table);

/*
 * Return 0 if the current task may do with the object what the permission bits in `wanted` say (those of user, group
 * and others count alike), otherwise -EACCES.
 */
int ipc_permits(const struct ipc_object *object, unsigned wanted);

/*
 * Do IPC_SET: set owner, permissions and change_time. Returns 0; -EINVAL (no such user or group), with nothing changed.
 */
int ipc_set(struct ipc_object *object, uint32_t uid, uint32_t gid, uint32_t mode);

/* Return the wall clock's time in seconds. */
int64_t ipc_now(void);
