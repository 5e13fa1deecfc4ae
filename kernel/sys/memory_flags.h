/*
 * Linux's flags of mmap(2) as kernel/mm's.
 */
#pragma once

#include "paging/types.h"

struct mmap_request {
	unsigned rights; /* enum user_rights */
	unsigned flags;  /* enum user_map_flags */
	bool anonymous;
};

/* PROT_… of mmap and mprotect. -EINVAL; -EACCES: writable and executable at once, which nobody gets. */
int rights_check(uint64_t prot, unsigned *ret_rights);

/*
 * mmap's arguments. -EINVAL (no kind of sharing, an offset that is no page's), -EOPNOTSUPP (MAP_SYNC with
 * MAP_SHARED_VALIDATE, or a flag that it would have to know), and rights_check's.
 */
int mapping_check(uint64_t prot, uint64_t flags, uint64_t offset, struct mmap_request *ret);
