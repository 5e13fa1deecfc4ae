/*
 * Children that attack, and a parent that watches them: they may die or hang, the parent goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "test/user/tap.h"

/*
 * Prepare this process to run steps in children: children's fds 0, 1 and 2 are /dev/null.
 * Ends the program when there is no shared memory or no /dev/null.
 */
void victims_init(void);

/*
 * Run step(0) to step(count - 1), each in a child that runs as many as it can, at most `at_once`. A step that ends its
 * child, or in which nothing moves for a while, is passed over; the next child starts with the one behind it.
 * ret_deaths: children that a step ended; ret_hangs: those that were killed because nothing moved.
 * Returns the number of steps that were begun: `count`, unless fork failed.
 */
uint64_t victims_run(uint64_t count, uint64_t at_once, void (*step)(uint64_t index), uint64_t *ret_deaths,
		     uint64_t *ret_hangs);

/* A reason why a random caller may not make the call `number`, or NULL. */
const char *forbidden(long number);

/* Make the call, unless it is forbidden. Arguments that reach other processes are taken back to the caller itself. */
long attack(long number, long arguments[6]);

/*
 * Remove all System V objects and all message queues of POSIX, as root: they outlive the processes that made them, and
 * so do their frames.
 */
void remove_objects(void);
