/*
 * Translates the flags of Linux's mmap(2) to the flags of kernel/mm/user.
 */
#pragma once

#include "paging/types.h"

/* mmap(2)'s arguments, checked and translated. */
struct mmap_request {
	unsigned rights; /* enum user_rights */
	unsigned flags;  /* enum user_map_flags */
	bool anonymous;
};

/*
 * Check PROT_… of mmap(2) and mprotect(2) and translate them to rights. Returns 0; or -EINVAL (unknown bits), with
 * *ret_rights untouched.
 */
int rights_check(uint64_t prot, unsigned *ret_rights);

/*
 * Return whether mmap(2)'s flags ask for private zeros at any place; such flags need no further check, and *ret_flags
 * becomes their translation (enum user_map_flags). Otherwise *ret_flags is untouched.
 */
bool mapping_is_plain(uint64_t flags, unsigned *ret_flags);

/*
 * Check and translate mmap(2)'s arguments. Returns 0; or, with *ret untouched, -EINVAL (neither shared nor private,
 * huge pages, an offset that is not page-aligned), -EOPNOTSUPP (MAP_SHARED_VALIDATE with an unknown flag), or
 * rights_check's errors.
 */
int mapping_check(uint64_t prot, uint64_t flags, uint64_t offset, struct mmap_request *ret);
