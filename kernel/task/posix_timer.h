/*
 * Timers of processes that send signals: timer_create(2), and setitimer(2)'s ITIMER_VIRTUAL and ITIMER_PROF.
 * (ITIMER_REAL is process->alarm.)
 *
 * A timer has one siginfo of its own, so that its signal can become pending in an interrupt handler, which must not
 * allocate memory. While the signal is pending a timer with an interval is not started again, and so costs no
 * interrupts: the expirations meanwhile are counted when the signal is taken (timer_getoverrun(2)).
 *
 * A timer by a clock of CPU time cannot be told when that clock reaches a time. Its function runs at the earliest
 * possible moment, when the time that is left, divided by the number of CPUs, has passed; compares the clock; and
 * repeats that until the time has come.
 */
#pragma once

#include "kernel/task/process.h"
#include "kernel/task/signal_state.h"

enum posix_clock {
	POSIX_MONOTONIC,
	POSIX_REALTIME,
	POSIX_TASK_TIME,    /* what `task` has run */
	POSIX_PROCESS_TIME, /* what all tasks of `of` have run */
	POSIX_USER_TIME,    /* what all tasks of `of` have run in user mode */
};

enum posix_notify { POSIX_SIGNAL = 0, POSIX_NONE = 1, POSIX_THREAD_SIGNAL = 4 }; /* sigev_notify */

/* How a timer is made. References are taken over by posix_timer_create(). */
struct posix_timer_order {
	enum posix_clock clock;
	enum posix_notify notify;
	int signal;
	uint64_t value;       /* siginfo's si_value */
	bool value_is_number; /* si_value is the timer's number, and `value` is not used */
	struct task *to;      /* for POSIX_THREAD_SIGNAL: who gets the signal; or NULL. A reference */
	struct process *of;   /* for POSIX_PROCESS_TIME and POSIX_USER_TIME: whose time; a reference, or NULL */
	struct task *task;    /* for POSIX_TASK_TIME: whose time; a reference, or NULL */
	bool without_number;  /* for setitimer(2): the timer has no number, and its signal no siginfo */
};

/* Times of a timer, in ns. */
struct posix_timer_times {
	uint64_t left;     /* until it expires; 0: it does not run */
	uint64_t interval; /* 0: it expires once */
};

/*
 * Make a timer of the current process, which does not run yet. Returns its number, or with `without_number` 0; -ENOMEM,
 * -EAGAIN (RLIMIT_SIGPENDING). *ret is valid until the timer is deleted, which other threads may do while this one
 * sleeps. After an error the references of `order` stay the caller's.
 */
int posix_timer_create(const struct posix_timer_order *order, struct posix_timer **ret);

/* Return the current process's timer with that number, valid as posix_timer_create()'s *ret; NULL: there is none. */
struct posix_timer *posix_timer_find(int number);

/* Delete a timer of the current process. If its signal is pending it stays so. */
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
