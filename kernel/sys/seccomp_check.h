/*
 * Runs the programs of seccomp(2) before each system call of a task that has such programs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct trap_frame;

/*
 * Return whether the current task may make the system call of `frame`; if not, *ret_result is what the call returns.
 * Does not return when the task must end.
 */
bool seccomp_permits(const struct trap_frame *frame, int64_t *ret_result);

/* Do prctl(PR_SET_SECCOMP). */
int64_t seccomp_set(uint64_t mode, uint64_t from);
