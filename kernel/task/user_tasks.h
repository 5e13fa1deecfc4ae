/*
 * How many tasks each user has, by real user ID, for RLIMIT_NPROC. Root's tasks are not counted: root has no limit.
 * Guard: tasks only, which the kernel does not preempt.
 */
#pragma once

#include <stdint.h>

/* Count one more task of a user. Returns 0 or -ENOMEM, with nothing changed. */
int user_tasks_add(uint32_t uid);

/* Count one task less of a user, for which user_tasks_add() was called. */
void user_tasks_remove(uint32_t uid);

/* Return how many tasks a user has; 0 for root. */
uint64_t user_tasks_of(uint32_t uid);
