/*
 * What calls say about areas without changing what is mapped: what a fork copies, pages of 4 KiB only, locked pages.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

/* Pieces of advice in pairs: each one, and the one that undoes it. */
enum user_advice {
	USER_WIPED,       /* a forked child gets zeros there */
	USER_KEPT,        /* undoes USER_WIPED */
	USER_LEFT_OUT,    /* a forked child does not get the area */
	USER_COPIED,      /* undoes USER_LEFT_OUT */
	USER_SMALL_PAGES, /* the area gets no 2 MiB frame from now on */
	USER_ANY_PAGES,   /* undoes USER_SMALL_PAGES */
	USER_LOCKED,      /* the area's pages count as locked */
	USER_UNLOCKED,    /* undoes USER_LOCKED */
	USER_NOT_DUMPED,  /* core files leave the area's bytes out */
	USER_DUMPED,      /* undoes USER_NOT_DUMPED */
	USER_POLICY = 64, /* and AREA_POLICY's values behind it: the area gets that policy */
	USER_POLICY_LAST = USER_POLICY + (AREA_POLICY >> AREA_POLICY_SHIFT),
};

/* Follow madvise(2)'s advice. Returns as user_dontneed; ERR_RIGHTS: only private anonymous memory is wiped. */
MUST_CHECK enum status user_advise(struct user_space *space, vaddr_t va, uint64_t size, enum user_advice how);

/* Return how many pages areas with AREA_LOCKED have in [va, va + size). */
uint64_t user_locked_between(const struct user_space *space, vaddr_t va, uint64_t size);

/* Return whether the caller may lock `pages` more pages of the space (user_limits_most_locked). */
bool user_lock_allows(const struct user_space *space, uint64_t pages);
