/*
 * Numbers, and what each means: the one table of tasks, processes, groups and sessions.
 *
 * A number exists while a task, a process, a group or a session is known by it, and is free for a new task when none is
 * any more. Any of them is found by its number at the same cost, however many there are; who belongs to a group or a
 * session is in a list.
 *
 * Guard of all: the kernel, one CPU, not preempted; a handler reads, and each change is one store to it.
 */
#pragma once

#include "kernel/lib/list.h"

struct task;
struct process;

#define NUMBERS_DEFAULT 32768 /* one more than the highest number at first: Linux's default kernel.pid_max */
#define NUMBERS_LEAST   301   /* the bounds of number_set_end(), Linux's */
#define NUMBERS_MOST    4194304

struct number {
	int value;               /* fixed when it is made */
	struct task *task;       /* the task with that tid; NULL: none */
	struct process *process; /* the process with that pid, be it a zombie; NULL: none */
	struct link group;       /* the processes of that group, by in_group */
	struct link session;     /* the processes of that session, by in_session */
};

void number_init(void); /* The heap works. Panics when there is no memory. */

/* Return what the number means; NULL: nothing. Good until another task runs. */
struct number *number_peek(int value);

/* Return the least number at or above `value` that exists; NULL: none does. Good until another task runs. */
struct number *number_next(int value);

/*
 * Make a number that did not exist: the next one behind the last that was made, or at the end of all the least. The
 * caller has it mean something, or calls number_settle. -ENOMEM, -EAGAIN (all are in use).
 */
int number_new(struct number **ret);

/* Make the number 0, which number_new never makes. Panics when there is no memory. */
struct number *number_zero(void);

/* Free the number if it means nothing any more. */
void number_settle(struct number *number);

/*
 * One more than the highest number that is made: kernel.pid_max. number_set_end: -EINVAL, below NUMBERS_LEAST or above
 * NUMBERS_MOST.
 */
int number_end(void);
int number_set_end(int end);

/* The number that was made last. */
int number_last(void);
