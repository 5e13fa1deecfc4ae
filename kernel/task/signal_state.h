/*
 * What a task and a process keep of signals (signal(7)). kernel/task/signal.h has the functions.
 */
#pragma once

#include "paging/types.h"

#define SIGNALS 64

/* The bit of a signal in a mask: Linux's sigset_t. */
#define SIGNAL_BIT(signal) (1ULL << ((signal)-1))

/*
 * Linux's struct siginfo, as far as it is used here: the first of 128 bytes in user memory.
 * Guard: that of the structure it lies in.
 */
struct signal_info {
	int32_t signal;
	int32_t error;
	int32_t code;
	int32_t pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			uint64_t value; /* what sigqueue(3) was given; for SIGCHLD the child's status */
		} sender;
		uint64_t address; /* where a fault was */
		struct {
			int32_t timer;
			int32_t overrun;
			uint64_t value;
		} timer;
	};
	uint64_t times[2]; /* for SIGCHLD: user and system time */
};

/* What is known of a signal that waits. Guard: signal_lock, since interrupt handlers send signals. */
struct signal_queued {
	struct signal_queued *next;
	struct signal_info info; /* info.signal 0: this structure is not in use */
};

/*
 * Signals that have come and wait to be delivered: one of each standard number, realtime ones in the order they came.
 * Guard: signal_lock, since interrupt handlers send signals.
 */
struct signal_set {
	uint64_t pending;            /* signal_lock; a bit for each signal that waits */
	uint64_t from_kernel;        /* signal_lock; those of `pending` that the kernel sent, without more to tell */
	struct signal_queued *first; /* what is known of the signals; a signal that has none here came without */
	struct signal_queued own;    /* room for one signal, whatever memory there is */
};

/* Values of signal_action.handler that are no address (sigaction(2)). */
#define SIGNAL_DEFAULT 0
#define SIGNAL_IGNORE  1

/* Flags of an action (sigaction(2)). */
#define SA_NOCLDSTOP 1ULL
#define SA_NOCLDWAIT 2ULL
#define SA_SIGINFO   4ULL
#define SA_RESTORER  0x04000000ULL
#define SA_ONSTACK   0x08000000ULL
#define SA_RESTART   0x10000000ULL
#define SA_NODEFER   0x40000000ULL
#define SA_RESETHAND 0x80000000ULL

/* Linux's struct kernel_sigaction. Guard: signal_lock, since interrupt handlers send signals. */
struct signal_action {
	uint64_t handler; /* a user address, SIGNAL_DEFAULT or SIGNAL_IGNORE */
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/*
 * What a task has of its own.
 * Guard: signal_lock, since interrupt handlers send signals; the stack and the saved mask, the task itself.
 */
struct task_signals {
	bool wanted; /* something may have to be delivered: read on the way to user mode */
	uint64_t blocked;
	uint64_t waited;        /* rt_sigtimedwait's: these end its waiting, blocked or not */
	uint64_t saved_blocked; /* the mask of before sigsuspend or ppoll: put back when a handler returns */
	bool restore_blocked;
	struct signal_set set;
	uint64_t stack_base; /* sigaltstack(2)'s, a user address; its size 0: there is none */
	uint64_t stack_size;
	uint32_t stack_flags;
};

/* What a process's tasks share. Guard: signal_lock, since interrupt handlers send signals. */
struct process_signals {
	struct signal_action actions[SIGNALS];
	struct signal_set set;
	uint32_t queued;             /* signal_lock; structures in use in all sets, which RLIMIT_SIGPENDING limits */
	struct signal_queued *spare; /* signal_lock; dropped by interrupt handlers, which must not call the heap */
	uint64_t alarm_interval_ns;
};
