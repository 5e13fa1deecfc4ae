/*
 * Finds the limits of the process that makes a call. kernel/task registers the function for that, since this layer
 * knows no process.
 */
#include "kernel/mm/user/user_limits.h"

#include <stddef.h>

const struct user_limits user_limits_default = {
	.address_pages = USER_NO_LIMIT,
	.stack_pages = 8ULL << 20 >> PAGE_SHIFT,
	.data_pages = USER_NO_LIMIT,
	.brk_pages = USER_NO_LIMIT,
};

/* Returns the limits of the process that makes a call; NULL: user_limits_default holds. Fixed after boot. */
static const struct user_limits *(*source)(void);

void user_limits_set_source(const struct user_limits *(*of_caller)(void))
{
	source = of_caller;
}

const struct user_limits *user_limits_of_caller(void)
{
	return source ? source() : &user_limits_default;
}

/* Returns how many bytes the calling task may lock; NULL: there is no limit. Fixed after boot. */
static uint64_t (*lock_source)(void);

void user_limits_set_lock_source(uint64_t (*most_locked)(void))
{
	lock_source = most_locked;
}

uint64_t user_limits_most_locked(void)
{
	return lock_source ? lock_source() : USER_NO_LIMIT;
}
