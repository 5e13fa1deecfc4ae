/*
 * From the flags of Linux's mmap(2) to those of kernel/mm/user.
 */
#pragma once

#include "paging/types.h"

struct mmap_request {
	unsigned rights; /* enum user_rights */
	unsigned flags;  /* enum user_map_flags */
	bool anonymous;
};

/*
 * Check PROT_… of mmap(2) and mprotect(2) and turn it into rights. -EINVAL; -EACCES: writable and executable at once,
 * which no program gets. *ret_rights is untouched then.
 */
int rights_check(uint64_t prot, unsigned *ret_rights);

/*
 * Check mmap(2)'s arguments and turn them into ours. -EINVAL (no kind of sharing, huge pages, an offset inside a page),
 * -EOPNOTSUPP (MAP_SHARED_VALIDATE with a flag that is not known), and rights_check's errors; *ret is untouched then.
 */
int mapping_check(uint64_t prot, uint64_t flags, uint64_t offset, struct mmap_request *ret);
