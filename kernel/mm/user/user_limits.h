/*
 * How much memory a process may map. Processes with different limits may share a space (vfork(2), CLONE_VM), so the
 * limits are not the space's: each call obeys the limits of the process that makes it.
 */
#pragma once

#include "paging/types.h"

#define USER_NO_LIMIT (~0ULL)

struct user_limits {
	uint64_t address_pages; /* RLIMIT_AS: how many pages all areas may have together */
	uint64_t stack_pages;   /* RLIMIT_STACK: how many pages an area with USER_MAP_GROWS_DOWN can grow to */
	/* RLIMIT_DATA: how many private writable pages there may be, stacks not counted */
	uint64_t data_pages;
	uint64_t brk_pages; /* RLIMIT_DATA again, for brk(2): pages from the heap's start to the break */
};

/*
 * The limits when no process makes the call: a stack of 8 MiB, as Linux's first process has, and no other limit.
 */
extern const struct user_limits user_limits_default;

/*
 * Set the function that returns the limits of the process that makes a call. Until then they are user_limits_default.
 */
void user_limits_set_source(const struct user_limits *(*of_caller)(void));

/*
 * Set the function that returns how many bytes of a space the calling task may lock (RLIMIT_MEMLOCK and CAP_IPC_LOCK).
 * Until then there is no limit.
 */
void user_limits_set_lock_source(uint64_t (*most_locked)(void));

/* Return how many bytes of a space the calling task may lock; USER_NO_LIMIT: any number. */
uint64_t user_limits_most_locked(void);

/*
 * Return the limits of the process that makes this call. The pointer is valid until the call
 * ends: the limits lie in the process.
 */
const struct user_limits *user_limits_of_caller(void);
