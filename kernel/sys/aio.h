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

/* The result of one operation: Linux's struct io_event. */
struct aio_event {
	uint64_t data;   /* the program's own word for the operation: aio_data of its struct iocb */
	uint64_t object; /* the user address of the operation's struct iocb */
	int64_t result;  /* bytes, or -errno */
	int64_t result2; /* always 0 */
};

_Static_assert(sizeof(struct aio_event) == 32, "Linux's struct io_event");

/* An event that waits until the program takes it. Guard: as said at the top of this file. */
struct aio_entry {
	struct link in_context;
	struct aio_event event;
};

/* A context of io_setup(2). Guard: as said at the top of this file. */
struct aio_context {
	/* place in process->aio, a tree sorted by id; of contexts with the same id the newest stands first */
	struct tree_node in_process;
	uint64_t id; /* the user address of the page that io_setup(2) has mapped; programs name the context by it */
	uint32_t counted;          /* how many events the program asked for, which count in aio_used */
	uint32_t capacity;         /* most that entry_count may be */
	uint32_t entry_count;      /* how many entries there are, and operations that will add one each */
	struct link entries;       /* struct aio_entry by in_context, the oldest first */
	struct wait_queue waiters; /* tasks that wait for events */
	uint64_t refs;             /* references: the process's, and one of each call that uses the context */
	bool gone;                 /* aio_end() has taken the context from its process */
};

extern uint64_t aio_used;  /* how many events all contexts were asked to hold: /proc/sys/fs/aio-nr */
extern uint64_t aio_limit; /* the most that aio_used may be */

/*
 * Make a context of the current process, which has the only reference to it. Returns 0, -EAGAIN (more than aio_limit
 * events), -ENOMEM.
 */
int aio_create(uint64_t id, uint32_t count, struct aio_context **ret);

/*
 * Return a reference to the current process's context with that id; NULL: there is none. aio_put() drops a reference.
 */
struct aio_context *aio_get(uint64_t id);
void aio_put(struct aio_context *context);

/*
 * Take the context from the current process, drop the process's reference, and wake the tasks that wait for its events.
 */
void aio_end(struct aio_context *context);

/*
 * Make room for an event. The caller passes *ret to aio_entry_add() or to aio_entry_cancel(). Returns 0, -EAGAIN (the
 * context holds as many events as it may), -ENOMEM.
 */
int aio_entry_create(struct aio_context *context, struct aio_entry **ret);
/*
 * aio_entry_add() adds the entry to the context and wakes the tasks that wait for events. aio_entry_cancel() frees the
 * entry, whether it has been added or not.
 */
void aio_entry_add(struct aio_context *context, struct aio_entry *entry);
void aio_entry_cancel(struct aio_context *context, struct aio_entry *entry);

/* Do what is due when a task ends: if the task is the last of its process to end, end the process's contexts. */
void aio_task_exit(struct task *task);

/* Add the files aio-nr and aio-max-nr of /proc/sys/fs. */
void aio_init(struct text_fs_type *type);

/* End all contexts of a process, which executes another program. Lets other tasks run. */
void aio_process_end(struct process *process);
