/*
 * What is known of a task that is traced: ptrace(2)'s numbers, and struct tracee. kernel/task/ptrace.h has the
 * functions.
 */
#pragma once

#include "kernel/arch/cpu_debug.h"
#include "kernel/task/process.h"

/* Events, and the option bits that ask for them: 1 << event. */
enum ptrace_event {
	PTRACE_EVENT_FORK = 1,
	PTRACE_EVENT_VFORK = 2,
	PTRACE_EVENT_CLONE = 3,
	PTRACE_EVENT_EXEC = 4,
	PTRACE_EVENT_VFORK_DONE = 5,
	PTRACE_EVENT_EXIT = 6,
	PTRACE_EVENT_SECCOMP = 7,
	PTRACE_EVENT_STOP = 128,
};

#define PTRACE_O_TRACESYSGOOD 1U
#define PTRACE_O_EXITKILL     (1U << 20)
#define PTRACE_O_KNOWN        (0xffU | PTRACE_O_EXITKILL)

/* The `message` of a stop at a system call. */
#define PTRACE_CALL_BEGINS 1
#define PTRACE_CALL_ENDS   2

/* How a tracee runs. */
enum ptrace_run {
	PTRACE_RUN_FREE,  /* PTRACE_CONT */
	PTRACE_RUN_CALLS, /* PTRACE_SYSCALL: it stops at system calls */
	PTRACE_RUN_STEP,  /* PTRACE_SINGLESTEP */
};

/* The debug registers of a tracee, as it is to have them. */
struct ptrace_debug {
	vaddr_t address[DEBUG_REGISTERS];
	uint64_t status;  /* DR6: what has happened; the tracer clears it */
	uint64_t control; /* DR7; 0: none is in use */
};

/*
 * How a task is traced. Owned by its tracer; it outlives the task until the tracer has been told of the end. Guard of
 * fields that say nothing else: tasks only, which the kernel does not preempt.
 */
struct tracee {
	struct task *task;     /* NULL: it has ended, and the tracer has not been told */
	struct task *tracer;   /* fixed when made */
	struct link of_tracer; /* in the tracer's list */
	struct link in_news;   /* in the list process->trace_news of the tracer's process, or in no list */
	int tid;               /* of the task, also when it has ended */
	int pid, group;        /* of its process, for wait4(2), when it has ended */
	int status;            /* its wait status, when it has ended */
	uint32_t uid;          /* its real user at the last stop */
	unsigned options;      /* PTRACE_O_… */
	bool seized;      /* by PTRACE_SEIZE, or a child of such a task: its tracer can tell group stops from signals */
	bool stopped;     /* in ptrace_stop(), and the tracer has not let it go on */
	bool listening;   /* stopped, by PTRACE_LISTEN, as if it was not traced */
	bool group_due;   /* a stop of its process has begun, and it has not reported that */
	bool steps;       /* its trap flag is set by the tracer, not by the program */
	bool calls_again; /* a call that lacked memory is made again: do not stop at its beginning once more */
	enum ptrace_run run; /* how it runs, or ran last */
	int code;            /* of the stop: the wait status without its low byte; 0: no stop, or the tracer was told */
	int stop_code;       /* of the stop, for as long as it lasts */
	uint64_t message;    /* for PTRACE_GETEVENTMSG */
	struct ptrace_debug debug;
};

/* Return whether anybody traces the task. */
static inline bool ptrace_is_traced(const struct task *task)
{
	return task->tracing.tracee;
}

/* ---- ptrace_group.c ---- */

/* A stop of the tracee's process begins or ends: have the tracee report it. The caller holds signal_lock. */
void ptrace_stop_comes_held(struct task *task);
void ptrace_stop_ends_held(struct task *task);
