/*
 * The debug build's watch over long stops: stretches of more than a millisecond in which this CPU took no interrupt, or
 * in which a task in the kernel neither let another one run nor returned to its program.
 * Each is logged with the place in the code, and never causes a panic: under an emulator on a busy host a stretch may
 * be long without a bug. Under QEMU's -icount shift=0 the time-stamp counter counts an instruction as a nanosecond, and
 * each logged stretch is a bug.
 *
 * The boot word `stops` starts the watch. A place is logged once, and again when a later stretch there is longer by a
 * quarter. Other builds have no such watch.
 */
#pragma once

#include "paging/types.h"

struct trap_frame;

#if DEBUG && !defined(HOST_TEST)
#define STOPS_WATCHED 1
#else
#define STOPS_WATCHED 0
#endif

#if STOPS_WATCHED

/* Begin to watch. `limit`: the longest stretch that is not reported, in ticks of the time-stamp counter. Call once. */
void stop_watch_start(uint64_t limit);

/*
 * Record that interrupts were just turned off at `place`, a file and a line, or are about to be turned on. Call both
 * with interrupts off.
 */
void stop_watch_off(const char *place);
void stop_watch_on(void);

/* Record that a trap has come, or is about to return. Call both with interrupts off. */
void stop_watch_trap(const struct trap_frame *frame);
void stop_watch_trap_ends(const struct trap_frame *frame);

/*
 * Record that a task has entered the kernel by the system call of `frame`, or is about to leave it. Call
 * stop_watch_call() before interrupts are turned on. For a trap from user mode stop_watch_trap() and
 * stop_watch_trap_ends() record that.
 */
void stop_watch_call(const struct trap_frame *frame);
void stop_watch_call_ends(void);

/*
 * Record that a task inside the kernel has got the CPU, or is about to lose it at `place`. `frame`: the trap or system
 * call by which the task entered the kernel; NULL for a kernel task.
 */
void stop_watch_turn(const struct trap_frame *frame);
void stop_watch_turn_ends(const char *place);

/* Record that the running task offers the CPU to others, at `place`. */
void stop_watch_step(const char *place);

#else

static inline void stop_watch_start(uint64_t limit)
{
	(void)limit;
}

static inline void stop_watch_off(const char *place)
{
	(void)place;
}

static inline void stop_watch_on(void)
{
}

static inline void stop_watch_trap(const struct trap_frame *frame)
{
	(void)frame;
}

static inline void stop_watch_trap_ends(const struct trap_frame *frame)
{
	(void)frame;
}

static inline void stop_watch_call_ends(void)
{
}

static inline void stop_watch_turn(const struct trap_frame *frame)
{
	(void)frame;
}

static inline void stop_watch_turn_ends(const char *place)
{
	(void)place;
}

static inline void stop_watch_step(const char *place)
{
	(void)place;
}

#endif
