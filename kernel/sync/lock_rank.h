/*
 * The order of all locks: whoever holds one may take only locks of ranks further down. docs/locking.md says what each
 * guards, and why it stands where it does. A comment names what the lock guards, and after a colon what is done
 * while it is held: each of these actions takes a lock further down.
 */
#pragma once

enum lock_rank {
	LOCK_UNRANKED, /* not initialised: nobody may take it */
	LOCK_IOAPIC,   /* an I/O APIC's index and window */
	LOCK_PIC,      /* the masks of the 8259s */
	LOCK_USB,      /* rings and keyboards of USB: keys are put into the keyboard's queue, and typed at a terminal */
	LOCK_KEYBOARD, /* a command and its answer at the keyboard's controller */
	LOCK_TTY,      /* a terminal: typed characters send signals, wake readers and are echoed */
	LOCK_TIMERFD,  /* a timerfd, and the wall clock's adjustment: start timers */
	LOCK_SIGNALS,  /* signals and job control: tells parents, and wakes tasks */
	LOCK_QUEUE,    /* the waiters of a file or a process: wakes tasks, and tells epoll files that watch it */
	LOCK_QUEUE_1,  /* the waiters of an epoll file that watches no epoll file. They are woken under LOCK_QUEUE */
	LOCK_QUEUE_2,  /* the waiters of an epoll file that watches epoll files with LOCK_QUEUE_1; and so on */
	LOCK_QUEUE_3,
	LOCK_QUEUE_4,
	LOCK_QUEUE_5,
	LOCK_EPOLL,  /* an epoll file's ready list */
	LOCK_OWNERS, /* files whose signals are to be sent */
	LOCK_RIGHTS, /* the pointers to tasks' credentials */
	LOCK_TASKS,  /* states of tasks, and run queues: starts the timer that ends a task's time slice */
	LOCK_SERIAL, /* the serial port's output queue: starts the timer that sends from it */
	LOCK_TIMERS, /* started timers */
	LOCK_SCREEN, /* the text on the screen. Taken under a terminal's lock, to echo */
	LOCK_LOG,    /* the log's rings. Last, because code under any other lock may want to log */
	LOCK_RANKS
};
