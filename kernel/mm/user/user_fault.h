/*
 * The parts of serving a fault that other files of user memory use.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* Return whether the area allows the access. Any right allows reads: page tables have no write-only memory. */
static inline bool user_allows(const struct area *area, enum user_rights access)
{
	return access == USER_READ ? area->rights != USER_NONE : area->rights & access;
}

/*
 * Serve an access to the page at `va`, which the area allows, if it is one of two kinds: the first to a page of zeros,
 * in an area without an object; or the first write to a private page that is mapped read-only. Returns OK,
 * ERR_NO_MEMORY, or ERR_EXISTS: the access is of another kind, or would take longer, since 2 MiB are to be mapped at
 * once. Call in the kernel context.
 */
MUST_CHECK enum status user_fault_short(struct user_space *space, vaddr_t va, enum user_rights access,
					struct area *area);

/*
 * Serve an access to the page at `va` as user_fault() (user_space.h) does. Call in the kernel context. *ret becomes the
 * page's area; on error it is untouched.
 */
MUST_CHECK enum status user_fault_inside(struct user_space *space, vaddr_t va, enum user_rights access,
					 const struct area **ret);
