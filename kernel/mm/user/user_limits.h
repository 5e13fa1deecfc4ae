/*
 * How much of a space a process may have. Processes with limits of their own may share a space (vfork(2), CLONE_VM), so
 * the limits do not belong to the space: each call heeds those of the process that makes it.
 */
#pragma once

#include "paging/types.h"

#define USER_NO_LIMIT (~0ULL)

struct user_limits {
	uint64_t address_pages; /* RLIMIT_AS: how many the areas may have */
	uint64_t stack_pages;   /* RLIMIT_STACK: how many an area with USER_MAP_GROWS_DOWN can have by growing */
	/* RLIMIT_DATA: how many private pages that can be written to there may be, stacks aside */
	uint64_t data_pages;
	uint64_t brk_pages; /* RLIMIT_DATA: how many pages the program break may have */
};

/*
 * The limits where no process makes the call: none, but that a stack ends at 8 MiB, as that of Linux's first process
 * does.
 */
extern const struct user_limits user_limits_default;

/*
 * Set the function that returns the limits of the process that makes a call. Until then they are user_limits_default.
 */
void user_limits_set_source(const struct user_limits *(*of_caller)(void));

/*
 * Return the limits of the process that makes this call. Good until the call ends, since they belong to that process.
 */
const struct user_limits *user_limits_of_caller(void);
