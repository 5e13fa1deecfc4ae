/*
 * Names the order of all locks: whoever holds one may take only those that stand further down. docs/locking.md tells what each
 * guards. A lock stands below all that its holders may hold when they take it, so the reason is a call: the line names it.
 */
#pragma once

enum lock_rank {
	LOCK_NONE,     /* not initialised: nobody may take it */
	LOCK_IOAPIC,   /* an I/O APIC's index and window: only from system calls and the boot */
	LOCK_KEYBOARD, /* a conversation with the keyboard's controller: only from system calls and the boot */
	LOCK_TIMERS,   /* started timers: locks that guard what a timer belongs to are held around timer_start */
	LOCK_SCREEN,   /* the text on the screen: terminals echo to it, and what is logged is shown on it */
	LOCK_LOG,      /* the log's rings: whoever holds whatever may say something */
	LOCK_RANKS
};
