/*
 * The calls of storm: each thread of a victim makes them, with memory, descriptors and files that all share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STORM_ROOT    "/tmp/storm" /* where the victim's own file system is mounted */
#define STORM_PROGRAM "/program"   /* in there: a copy of this program */
#define STORM_THREADS 8
#define STORM_SLOTS   32 /* threads at most: the first, and those that come and go */

/* The threads' ids, 0 where none is: the kernel clears it when the thread ends. Calls send signals to the first ones. */
extern volatile int storm_threads[STORM_SLOTS];

/* The next random number; each thread has a state of its own. */
uint64_t storm_random(uint64_t *state);

/* The memory that calls get pointers into. Ends the program when there is none. */
void storm_make_arena(void);

/*
 * Make STORM_ROOT this process's root directory, with what a victim needs there. Victims make and remove names and mounts
 * as it happens: in the machine's own tree they would leave some, and take away what the next victim needs. Returns
 * whether that was possible; what else is refused is missing.
 */
bool storm_enter(void);

/* Files, pipes and what else there is to call something with, in this process's root directory. */
void storm_scene(void);

/* Let a handler that does nothing take the signal. */
void storm_catch(long signal);

/* A call out of the table, each argument of its kind or, now and then, at an edge. */
void storm_call(uint64_t *state);

/* Any number with anything, but what makes processes and what forbidden() tells of. */
void storm_garbage(uint64_t *state);
