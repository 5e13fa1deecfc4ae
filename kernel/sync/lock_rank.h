/*
 * Names the order of all locks: whoever holds one may take only those that stand further down. What each guards, and why it
 * stands where it does, is in docs/locking.md.
 */
#pragma once

enum lock_rank {
	LOCK_UNRANKED, /* not initialised: nobody may take it */
	LOCK_IOAPIC,   /* an I/O APIC's index and window */
	LOCK_KEYBOARD, /* a conversation with the keyboard's controller */
	LOCK_TTY,      /* a terminal: what is typed becomes signals, wakes readers and is echoed */
	LOCK_TIMERFD,  /* a timerfd: starts timers */
	LOCK_SIGNALS,  /* signals and job control: tells parents, and wakes tasks */
	LOCK_QUEUE,    /* a file's or a process's waiters: wakes tasks, and what epoll has of the file */
	LOCK_QUEUE_1,  /* the waiters of an epoll file that watches no other one: woken by the queues above */
	LOCK_QUEUE_2,  /* of one that watches such a one, and so on */
	LOCK_QUEUE_3,
	LOCK_QUEUE_4,
	LOCK_QUEUE_5,
	LOCK_EPOLL,  /* an epoll file's ready list */
	LOCK_TASKS,  /* states of tasks, and run queues: starts the slice's timer */
	LOCK_TIMERS, /* started timers */
	LOCK_SCREEN, /* the text on the screen: terminals echo to it, and what is logged is shown on it */
	LOCK_LOG,    /* the log's rings: whoever holds whatever may say something */
	LOCK_RANKS
};
