/*
 * Timers of processes that send signals: timer_create(2), and setitimer(2)'s ITIMER_VIRTUAL and ITIMER_PROF.
 * (ITIMER_REAL is process->alarm.)
 *
 * A timer has one siginfo of its own, so that it can become pending in an interrupt handler, where there is no memory.
 * While that is pending a timer with an interval is not started again, and so costs no interrupts: its expirations are
 * counted when the signal is taken (timer_getoverrun(2)).
 *
 * A timer by a clock of CPU time looks at that clock when as much time has passed as is left by it, divided by the CPUs
 * that may run the process, which is the earliest moment, and again until the time has come.
 */
#pragma once

#include "kernel/task/process.h"
#include "kernel/task/signal_state.h"

enum posix_clock {
	POSIX_MONOTONIC,
	POSIX_REALTIME,
	POSIX_TASK_TIME,    /* what `task` has run */
	POSIX_PROCESS_TIME, /* what all tasks of `of` have run */
	POSIX_USER_TIME,    /* what they have run in user mode */
};

enum posix_notify { POSIX_SIGNAL = 0, POSIX_NONE = 1, POSIX_THREAD_SIGNAL = 4 }; /* sigev_notify */

/* How a timer is made. References are taken over by posix_timer_create(). */
struct posix_timer_order {
	enum posix_clock clock;
	enum posix_notify notify;
	int signal;
	uint64_t value;       /* siginfo's si_value */
	bool value_is_number; /* instead of `value` that is the timer's number */
	struct task *to;      /* for POSIX_THREAD_SIGNAL: who gets the signal; or NULL. A reference */
	struct process *of;   /* for POSIX_PROCESS_TIME and POSIX_USER_TIME: whose time; a reference, or NULL */
	struct task *task;    /* for POSIX_TASK_TIME: whose time; a reference, or NULL */
	bool without_number;  /* setitimer(2)'s: no number leads to it, and its signal has no siginfo */
};

/* Times of a timer, in ns. */
struct posix_timer_times {
	uint64_t left;     /* until it expires; 0: it does not run */
	uint64_t interval; /* 0: it expires once */
};

/*
 * Make a timer of the current process, which does not run yet. Returns its number, or with `without_number` 0; -ENOMEM,
 * -EAGAIN (RLIMIT_SIGPENDING). *ret is good until the timer is deleted; other threads may do so when this one sleeps.
 * On an error the references of `order` stay the caller's.
 */
int posix_timer_create(const struct posix_timer_order *order, struct posix_timer **ret);

/* Return the current process's timer with that number, good as *ret above; NULL: there is none. */
struct posix_timer *posix_timer_find(int number);

/* Delete a timer of the current process. Its signal stays pending if it is. */
void posix_timer_delete(struct posix_timer *timer);

/*
 * Set the timer: `value` is a time span, or with `absolute` a time of the timer's clock; 0 stops it. Returns what was
 * left before.
 */
struct posix_timer_times posix_timer_set(struct posix_timer *timer, uint64_t value, uint64_t interval, bool absolute);
struct posix_timer_times posix_timer_get(struct posix_timer *timer);

/* Return how many expirations the signal that was taken last stood for, besides the first. */
int posix_timer_overrun(const struct posix_timer *timer);

/* Delete some timers of a process that ends, or in which execve(2) starts a program. Returns whether there are more. */
bool posix_timers_end_some(struct process *process);
