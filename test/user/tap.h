/*
 * What the test programs share: checks that print TAP lines on fd 1, and children to try things in. A check prints
 * `ok N - name`, or `not ok N - name # expected X, saw Y`. Only the process that started the program makes checks;
 * children tell by their exit status what they saw.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/user/sys.h"

#define PAGE 4096UL
/* The number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Check that `saw` is `expected`. Returns whether it is. */
bool is(long saw, long expected, const char *name);
/* Check that a condition holds; `saw` is only printed. Returns the condition. */
bool is_true(bool condition, long saw, const char *name);
/* Check that low <= saw <= high. */
bool is_between(long saw, long low, long high, const char *name);
/* Check that two strings are the same. */
bool is_text(const char *saw, const char *expected, const char *name);

/* Print a failed check for something that the rest of the program needs, and end the program. */
_Noreturn void bail(const char *why, long saw);

/* Print the plan. Returns the program's exit status: 0 when there were checks and all passed. */
int finish(void);

/*
 * Run body(argument) in a forked child, which then exits with what body returns.
 * Returns the child's wait status, or -errno when fork or wait4 failed.
 */
int in_child(int (*body)(void *), void *argument);

/* What in_child() returns for a child that exited with `code`, or that `signal` ended. */
#define EXITED(code)   (((code)&0xff) << 8)
#define KILLED(signal) (signal)

/* Read, write or execute one byte at an address: these are bodies for in_child(). touch_read() returns the byte. */
int touch_read(void *address);
int touch_write(void *address);
int touch_execute(void *address);

/* Map anonymous private memory; bail out when there is none. */
void *fresh(size_t bytes, int protection);
