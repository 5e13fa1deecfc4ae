/*
 * The table of the numbers of tasks, processes, process groups and sessions: Linux's struct pid.
 *
 * One struct number stands for a task, a process, a group and a session that have the same number. It exists as long as
 * one of them does; after that the number is free for a new task. Finding a number costs the same, however many there
 * are. The processes of a group or a session are in a list.
 *
 * Guard of all state: tasks only, which the kernel does not preempt; interrupt handlers may read, since each change is
 * one store.
 */
#pragma once

#include "kernel/lib/list.h"

struct task;
struct process;

#define NUMBERS_DEFAULT 32768 /* number_end() at first: Linux's default kernel.pid_max */
#define NUMBERS_LEAST   301   /* the least and greatest argument of number_set_end(), as on Linux */
#define NUMBERS_MOST    4194304

struct number {
	int value;               /* fixed when it is made */
	struct task *task;       /* the task with that tid; NULL: none */
	struct process *process; /* the process with that pid, perhaps a zombie; NULL: none */
	struct link group;       /* list of the processes of the group with that number, linked by in_group */
	struct link session;     /* list of the processes of the session with that number, linked by in_session */
};

/* Initialise the table. Call once, when the heap works. Panics when there is no memory. */
void number_init(void);

/* Return the struct number of `value`, valid until another task runs; NULL when the number is free. */
struct number *number_peek(int value);

/* Return the least number in use at or above `value`, valid until another task runs; NULL when there is none. */
struct number *number_next(int value);

/*
 * Allocate a free number: the lowest one above the last that was allocated, or, when there is none below number_end(),
 * the lowest from 2 on. The caller sets one of the number's fields, or calls number_settle. Returns 0, -ENOMEM, -EAGAIN
 * (all are in use).
 */
int number_new(struct number **ret);

/* Allocate the number 0, which number_new never returns. Panics when there is no memory. */
struct number *number_zero(void);

/* Free the number if no task, process, group or session has it any more. */
void number_settle(struct number *number);

/*
 * Return or set kernel.pid_max, one more than the highest number that number_new allocates. number_set_end returns
 * -EINVAL for a number below NUMBERS_LEAST or above NUMBERS_MOST.
 */
int number_end(void);
int number_set_end(int end);

/* Return the number that number_new allocated last. */
int number_last(void);
