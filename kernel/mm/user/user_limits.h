/*
 * How much of a space a process may have. Processes with limits of their own may share a space (vfork(2), CLONE_VM), so the
 * limits are not the space's: each call heeds those of whoever makes it.
 */
#pragma once

#include "paging/types.h"

#define USER_NO_LIMIT (~0ULL)

struct user_limits {
	uint64_t address_pages; /* RLIMIT_AS */
	uint64_t stack_pages;   /* RLIMIT_STACK: how long an area with USER_MAP_GROWS_DOWN can get by growing */
	uint64_t data_pages;    /* RLIMIT_DATA: private memory that can be written to, stacks aside */
	uint64_t brk_pages;     /* RLIMIT_DATA: how far user_brk goes */
};

/* Limits of whoever no process stands behind: none, but that a stack ends at 8 MiB, as Linux's first process has it. */
extern const struct user_limits user_limits_default;

/* Ask `of_caller` for the limits of whoever makes a call from now on. */
void user_limits_set_source(const struct user_limits *(*of_caller)(void));

/* Limits of whoever makes this call; good until it ends, since they belong to the process that waits for its answer. */
const struct user_limits *user_limits_of_caller(void);
