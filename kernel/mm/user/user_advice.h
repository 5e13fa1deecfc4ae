/*
 * What calls say about areas without changing what is mapped: what a fork copies, pages of 4 KiB only, locked pages.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/*
 * A forked child gets zeros (WIPED) or no area (LEFT_OUT); SMALL_PAGES: no 2 MiB frame from now on; LOCKED: the pages
 * count as locked. The others undo it.
 */
enum user_advice {
	USER_WIPED,
	USER_KEPT,
	USER_LEFT_OUT,
	USER_COPIED,
	USER_SMALL_PAGES,
	USER_ANY_PAGES,
	USER_LOCKED,
	USER_UNLOCKED,
};

/* Follow madvise(2)'s advice. Returns as user_dontneed; ERR_RIGHTS: only private anonymous memory is wiped. */
MUST_CHECK enum status user_advise(struct user_space *space, vaddr_t va, uint64_t size, enum user_advice how);

/* Return how many pages areas with AREA_LOCKED have in [va, va + size). */
uint64_t user_locked_between(const struct user_space *space, vaddr_t va, uint64_t size);

/* Return whether the caller may lock `pages` more pages of the space (user_limits_most_locked). */
bool user_lock_allows(const struct user_space *space, uint64_t pages);
