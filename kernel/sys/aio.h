/*
 * The contexts of io_setup(2): each holds the events of the operations that were done through it, until the program
 * takes them. A context belongs to a process, and ends with it, or when it executes another program.
 *
 * Guard of all: tasks only, which the kernel does not preempt.
 */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/lib/tree.h"
#include "kernel/sync/wait_queue.h"

struct process;
struct task;
struct text_fs_type;

/* What an operation has brought: Linux's struct io_event. */
struct aio_event {
	uint64_t data;   /* what the program gave with the operation */
	uint64_t object; /* the user address of the operation's struct iocb */
	int64_t result;  /* bytes, or -errno */
	int64_t result2; /* 0 */
};

_Static_assert(sizeof(struct aio_event) == 32, "Linux's struct io_event");

/* An event that waits to be taken. Guard: as said at the top of this file. */
struct aio_entry {
	struct link in_context;
	struct aio_event event;
};

/* A context. Guard: as said at the top of this file. */
struct aio_context {
	struct tree_node in_process; /* in the tree of its process's contexts, by id; the newest of one id first */
	uint64_t id;                 /* the user address of its page, by which the program names it */
	uint32_t counted;            /* how many events the program asked for, which count in aio_used */
	uint32_t capacity;           /* most entries */
	uint32_t entry_count;        /* entries, and operations that will add one */
	struct link entries;         /* list of events, the oldest first */
	struct wait_queue waiters;   /* tasks that wait for events */
	uint64_t refs;               /* references: of the process, and of calls */
	bool gone;                   /* was taken from its process */
};

extern uint64_t aio_used;  /* how many events all contexts were asked to hold: /proc/sys/fs/aio-nr */
extern uint64_t aio_limit; /* the most that they may be asked for: /proc/sys/fs/aio-max-nr */

/* Make a context of the current process. Returns 0, -EAGAIN (aio_limit), -ENOMEM. */
int aio_create(uint64_t id, uint32_t count, struct aio_context **ret);

/* Return a reference to the context of the current process with that id; NULL: there is none. */
struct aio_context *aio_get(uint64_t id);
void aio_put(struct aio_context *context);

/* Take the context from its process, and wake who waits for its events. */
void aio_end(struct aio_context *context);

/* Make room for an event. Returns 0, -EAGAIN (there are as many as the context holds), -ENOMEM. */
int aio_entry_create(struct aio_context *context, struct aio_entry **ret);
/* Add the event to the context, and wake who waits for one. Or forget it. */
void aio_entry_add(struct aio_context *context, struct aio_entry *entry);
void aio_entry_cancel(struct aio_context *context, struct aio_entry *entry);

/* Do what the end of a task does: the last one that begins to end takes its process's contexts with it. */
void aio_task_exit(struct task *task);

/* Add the files of /proc/sys/fs about contexts. */
void aio_init(struct text_fs_type *type);

/* End all contexts of a process, which executes another program. Lets other tasks run. */
void aio_process_end(struct process *process);
