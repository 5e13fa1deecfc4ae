/*
 * What the mapped pages of user memory take: the sums that /proc/PID/smaps shows.
 */
#pragma once

#include "kernel/mm/user/user_space.h"

#define USER_USAGE_SHIFT 12 /* shares are in 1 / 2^12 bytes */

/* Sums over pages, in bytes. Shares (Linux's Pss) count each page divided by how many mappings it has. */
struct user_usage {
	uint64_t resident;
	/*
	 * share_file: of pages whose frames have no count (initial file system); share_memory: of other objects' pages
	 */
	uint64_t share, share_dirty, share_anonymous, share_file, share_memory;
	uint64_t share_locked;
	uint64_t shared_clean, shared_dirty, private_clean, private_dirty;
	uint64_t referenced;
	uint64_t anonymous;
	uint64_t huge; /* anonymous pages of 2 MiB */
};

/*
 * Add the pages of `area` from *va on, an address in it or its end. *budget: how many steps are left, lowered by those
 * that were done; when it reaches 0 the work stops early. *va becomes where to go on; the area's end when all is done.
 * A page of the initial file system, whose frame has no reference count, counts as mapped once. In a private mapping of
 * a file, a page that was written to before a fork and not since counts as the file's.
 */
void user_usage_add(struct user_space *space, const struct area *area, vaddr_t *va, size_t *budget,
		    struct user_usage *usage);
