/*
 * What a task and a process keep of signals (signal(7)). What is done with it: kernel/task/signal.h.
 */
#pragma once

#include "paging/types.h"

#define SIGNALS 64

/* The bit of a signal in a mask: Linux's sigset_t. */
#define SIGNAL_BIT(signal) (1ULL << ((signal)-1))

/*
 * Linux's struct siginfo as far as it is used here: 128 bytes in user memory, of which these come first.
 * Guard: as of what it is in.
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
			uint64_t value; /* sigqueue's; of SIGCHLD the status */
		} sender;
		uint64_t address; /* of a fault */
		struct {
			int32_t timer;
			int32_t overrun;
			uint64_t value;
		} timer;
	};
	uint64_t times[2]; /* of SIGCHLD: user, system */
};

/* Guard: signal_lock, since handlers send signals. */
struct signal_queued {
	struct signal_queued *next;
	struct signal_info info; /* .signal 0: it is not in use */
};

/*
 * Signals that have come and wait to be delivered: one of each standard kind, realtime ones in the order they came.
 * Guard: signal_lock, since handlers send signals.
 */
struct signal_set {
	uint64_t pending; /* signal_lock */
	uint64_t
		from_kernel; /* signal_lock: of `pending`, those that the kernel sent, of which nothing else is to be told */
	struct signal_queued *first; /* what is known of them; a signal of which nothing is queued came without */
	struct signal_queued own;    /* for one of them, at no cost and whatever memory there is */
};

/* Values of signal_action.handler that are no address (sigaction(2)). */
#define SIGNAL_DEFAULT 0
#define SIGNAL_IGNORE  1

/* Flags of an action. */
#define SA_NOCLDSTOP 1ULL
#define SA_NOCLDWAIT 2ULL
#define SA_SIGINFO   4ULL
#define SA_RESTORER  0x04000000ULL
#define SA_ONSTACK   0x08000000ULL
#define SA_RESTART   0x10000000ULL
#define SA_NODEFER   0x40000000ULL
#define SA_RESETHAND 0x80000000ULL

/* Linux's struct kernel_sigaction. Guard: signal_lock, since handlers send signals. */
struct signal_action {
	uint64_t handler; /* 0: the default, 1: ignore */
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

/*
 * A task's own.
 * Guard: signal_lock, since handlers send signals; its stack and saved mask, the task itself.
 */
struct task_signals {
	bool wanted; /* something may have to be delivered: looked at on the way to user mode */
	uint64_t blocked;
	uint64_t waited;        /* by rt_sigtimedwait: they end its waiting, blocked or not */
	uint64_t saved_blocked; /* sigsuspend's and ppoll's: put back when a handler returns */
	bool restore_blocked;
	struct signal_set set;
	uint64_t stack_base; /* sigaltstack */
	uint64_t stack_size;
	uint32_t stack_flags;
};

/* A process's: shared by its tasks. Guard: signal_lock, since handlers send signals. */
struct process_signals {
	struct signal_action actions[SIGNALS];
	struct signal_set set;
	uint32_t queued; /* signal_lock; of all sets: RLIMIT_SIGPENDING */
	struct signal_queued
		*spare; /* signal_lock: what interrupt handlers have dropped, which must not call the heap */
	uint64_t alarm_interval_ns;
};
