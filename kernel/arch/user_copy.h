/*
 * The instructions that touch memory through a user's pointer, and where to go on when one of them faults: user_copy.S.
 * They check nothing: kernel/mm/user/uaccess.c is who calls them.
 */
#pragma once

#include "paging/types.h"

/* Where SMAP is to be lifted, and to be put back. */
struct smap_site {
	uint64_t at;
	uint64_t clears; /* 0: STAC; 1: CLAC */
};

extern const struct smap_site smap_sites[];
extern const uint64_t smap_site_count;

/* A fault at the instruction `at` goes on at `resume`. */
struct user_fixup {
	uint64_t at;
	uint64_t resume;
};

extern const struct user_fixup user_fixups[];
extern const uint64_t user_fixup_count;

/* Copy; either side may be the user's. Returns how many bytes are not copied: the last ones. */
size_t user_copy(void *to, const void *from, size_t bytes);

/* Zero. Returns how many bytes are not zeroed: the last ones. */
size_t user_clear(void *to, size_t bytes);

/* Copy up to and with the NUL. Returns the length without it; `size` when there is none; -1 after a fault. */
int64_t user_copy_string(char *to, const char *from, size_t size);

/* One word each. They return 0, or 1 after a fault; *ret is untouched then. */
int user_load_32(const void *from, uint32_t *ret);
int user_load_64(const void *from, uint64_t *ret);
int user_store_32(void *to, uint32_t value);
int user_store_64(void *to, uint64_t value);
int user_store_pair(void *to, uint64_t first, uint64_t second);

/*
 * The instructions of these names on a user's area. user_xsave says of x87 and SSE, which it has written, that they are
 * there even if they are as after a reset. 0, or 1 after a fault, which is a #GP for an area that is not aligned or that
 * cannot be loaded; what of the state is loaded then is unknown.
 */
int user_xsave(void *area, uint64_t components);
int user_xrstor(const void *area, uint64_t components);
int user_fxsave(void *area);
int user_fxrstor(const void *area);

/* If *at is *expected it becomes `desired`; *expected becomes what it was. Locked. */
int user_cmpxchg_32(void *at, uint32_t *expected, uint32_t desired);
