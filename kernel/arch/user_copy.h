/*
 * The instructions that touch memory through a user's pointer (user_copy.S), and where execution continues when one of
 * them faults. Nothing is checked here: the callers, uaccess and user_io in kernel/mm/user, check the addresses.
 */
#pragma once

#include "paging/types.h"

/* A place in user_copy.S where the kernel's access to user memory begins (STAC) or ends (CLAC). */
struct smap_site {
	uint64_t at;
	uint64_t clears; /* 0: STAC; 1: CLAC */
};

extern const struct smap_site smap_sites[];
extern const uint64_t smap_site_count;

/* After a fault at the instruction `at` execution continues at `resume`. */
struct user_fixup {
	uint64_t at;
	uint64_t resume;
};

extern const struct user_fixup user_fixups[];
extern const uint64_t user_fixup_count;

/*
 * Copy; either pointer may be the user's. Returns how many bytes at the end of the range were not copied because of a
 * fault.
 */
size_t user_copy(void *to, const void *from, size_t bytes);

/* Zero user memory. Returns how many bytes at the end of the range were not zeroed because of a fault. */
size_t user_clear(void *to, size_t bytes);

/*
 * Copy a string with its NUL, at most `size` bytes. Returns the string's length; `size` when no NUL was found; -1 after
 * a fault, with some bytes perhaps copied.
 */
int64_t user_copy_string(char *to, const char *from, size_t size);

/* Load or store one word. Returns 0, or 1 after a fault; *ret is untouched then. */
int user_load_32(const void *from, uint32_t *ret);
int user_load_64(const void *from, uint64_t *ret);
int user_store_32(void *to, uint32_t value);
int user_store_64(void *to, uint64_t value);
int user_store_pair(void *to, uint64_t first, uint64_t second);

/*
 * Save the FPU state to a user's area, or load it from there, by XSAVE, XRSTOR, FXSAVE or FXRSTOR. user_xsave marks x87
 * and SSE as present even if they are in their initial state, since it has written both. Returns 0, or 1 after a fault:
 * a page fault, or a #GP for an area that is not aligned or cannot be loaded. After a fault some parts of the state may
 * have been loaded.
 */
int user_xsave(void *area, uint64_t components);
int user_xrstor(const void *area, uint64_t components);
int user_fxsave(void *area);
int user_fxrstor(const void *area);

/*
 * If *at equals *expected, store `desired` there; *expected becomes what *at was. Atomic. Returns 0, or 1 after a
 * fault.
 */
int user_cmpxchg_32(void *at, uint32_t *expected, uint32_t desired);
