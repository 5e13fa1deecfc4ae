/*
 * The parts of struct task and struct process for signals (signal(7)). kernel/task/signal.h has the functions.
 */
#pragma once

#include "kernel/lib/list.h"
#include "kernel/lib/radix.h"
#include "kernel/sync/wait_queue.h"
#include "paging/types.h"

struct posix_timer;

#define SIGNALS 64

/* The bit of a signal in a mask: Linux's sigset_t. */
#define SIGNAL_BIT(signal) (1ULL << ((signal)-1))

/*
 * The part of Linux's struct siginfo, which has 128 bytes, that is used here.
 * Guard: that of the structure around it.
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
			uint64_t value; /* sigqueue(3)'s value; for SIGCHLD the child's exit code or signal */
		} sender;
		uint64_t address; /* the address of a fault */
		struct {
			uint64_t address; /* of the instruction behind SYSCALL */
			int32_t number;
			uint32_t architecture;
		} call; /* for SIGSYS */
		struct {
			int64_t band; /* as poll(2)'s events */
			int32_t fd;
		} poll; /* for signals from files (file_owner.h) */
		struct {
			int32_t timer;
			int32_t overrun;
			uint64_t value;
		} timer;
	};
	uint64_t times[2]; /* for SIGCHLD: user and system time */
};

/*
 * The siginfo of a pending signal. The siginfos with the same number form a queue, the oldest first; the set has a list
 * of the oldest ones, each of which stands for its queue. Guard: signal_lock, since interrupt handlers send signals.
 */
struct signal_queued {
	struct signal_queued *next; /* of the oldest: the next queue of the set; of a spare one: the next spare one */
	struct signal_queued *same; /* the next younger one with this number, or NULL */
	struct signal_queued *last; /* of the oldest: the youngest */
	struct signal_info info;    /* info.signal 0: this structure is not in use */
	/*
	 * NULL: this structure is freed when it has left the set. Otherwise it belongs to a timer, and is not freed:
	 * this function is called then, with signal_lock held. ret: the program's copy of `info`, which the function
	 * may change; NULL: no program gets it
	 */
	void (*taken)(struct signal_queued *queued, struct signal_info *ret);
	void *owner; /* for `taken` */
};

/*
 * A set of pending signals: at most one of each standard signal, and realtime signals in the order in which they were
 * sent. Guard: signal_lock, since interrupt handlers send signals.
 */
struct signal_set {
	uint64_t pending;            /* a bit for each signal in the set */
	uint64_t from_kernel;        /* the signals of `pending` that the kernel sent without siginfo */
	struct signal_queued *first; /* the queues of siginfos, one for each number that has any; so 64 at most */
	struct signal_queued own;    /* one structure that needs no allocation */
};

/* Values of signal_action.handler that are not addresses (sigaction(2)). */
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
 * The signal state of one task.
 * Guard: signal_lock, since interrupt handlers send signals; for the stack_ fields and the two about the saved mask,
 * the task alone, which then computes `wanted` anew.
 */
struct task_signals {
	bool wanted; /* task_return() must be called on the way to user mode: a signal, a stop, or the end */
	/*
	 * a frame or heap block was refused to the task in its system call, which then returns by syscall_leave(). Has
	 * nothing to do with signals, but lies here so that the entry code can test it and `wanted` at once. Guard: the
	 * task alone
	 */
	bool refused;
	bool stop_wanted;       /* the task is to stop: its process is stopped, or ptrace(2) asks for that */
	uint64_t blocked;       /* mask of blocked signals */
	uint64_t waited;        /* signals that rt_sigtimedwait(2) waits for: they wake the task although blocked */
	uint64_t saved_blocked; /* the mask before sigsuspend(2) or ppoll(2), to restore when a handler returns */
	bool restore_blocked;   /* `saved_blocked` is to be restored */
	struct signal_set set;  /* signals sent to this task */
	uint64_t stack_base;    /* user address of the alternate stack (sigaltstack(2)) */
	uint64_t stack_size;    /* 0: there is no alternate stack */
	uint32_t stack_flags;   /* SS_AUTODISARM or 0 */
};

/* The signal state that all tasks of a process share. Guard: signal_lock, since interrupt handlers send signals. */
struct process_signals {
	/* SIGNALS actions in the heap; once the process has ended, those that all ended processes share (signal_end) */
	struct signal_action *actions;
	struct signal_set set;       /* signals sent to the process, for any of its tasks */
	uint32_t queued;             /* number of siginfos in all sets, limited by RLIMIT_SIGPENDING */
	struct signal_queued *spare; /* list of unused structures, which tasks free or use again */
	uint64_t alarm_interval_ns;  /* setitimer(2)'s interval; 0: the alarm rings once */
	struct link timers;          /* list of the timers of posix_timer.h */
	/* the timers that have numbers. Guard: tasks only, which the kernel does not preempt */
	struct radix timer_numbers;
	uint32_t next_timer;                    /* the number of the next timer that is made, if that number is free */
	struct posix_timer *interval_timers[2]; /* the timers of ITIMER_VIRTUAL and ITIMER_PROF; NULL: never set */
	struct wait_queue arrivals;             /* waiters for signals to become pending, by signalfd(2)'s files */
	struct wait_queue ended;                /* waiters for the process's end, by pidfd_open(2)'s files */
};
