/*
 * The debug build's watch over long stops: stretches of more than a millisecond in which this CPU took no interrupt, or in
 * which a task in the kernel neither let another one run nor returned to its program. Each is a line in the log that names
 * the place, never a panic: on a busy host a stretch may be long through nobody's fault. Under QEMU's -icount shift=0 the
 * time-stamp counter counts an instruction as a nanosecond, and a line is a fault of ours.
 *
 * Each place is told of once, and again when a stretch that ends there is longer by a quarter. The other builds have none
 * of it.
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

/* Begin to watch; `limit` is the longest stretch that is right, in ticks of the time-stamp counter. Once. */
void stop_watch_start(uint64_t limit);

/* Interrupts have been turned off at `place`, a file and a line; or are about to be turned on. They are off in both. */
void stop_watch_off(const char *place);
void stop_watch_on(void);

/* A trap has come, or is about to return. Interrupts are off. */
void stop_watch_trap(const struct trap_frame *frame);
void stop_watch_trap_ends(const struct trap_frame *frame);

/*
 * A task has come into the kernel by the system call of `frame`, with interrupts off that are about to be turned on; or is
 * about to leave it. A trap from user mode counts likewise, by the functions above.
 */
void stop_watch_call(const struct trap_frame *frame);
void stop_watch_call_ends(void);

/* A task that is in the kernel by `frame` (NULL: a task of the kernel's) has got the CPU; or is about to be left. */
void stop_watch_turn(const struct trap_frame *frame);
void stop_watch_turn_ends(const char *place);

/* The task offers the CPU to others, at `place`. */
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
