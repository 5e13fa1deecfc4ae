/*
 * The pieces of memory that readv(2), sendmsg(2) and their kin pass: copied, checked, and ready to be moved.
 */
#pragma once

#include "kernel/mm/user/user_io.h"

#define TRANSFER_MAX 0x7ffff000ULL /* most bytes that one call moves: Linux's MAX_RW_COUNT */
#define PIECES_MAX   1024          /* most pieces of one call: IOV_MAX */
#define PIECES_STACK 8             /* most pieces that a call keeps on the stack, and not in the heap */

/*
 * The pieces of one call. The structure lies on the call's stack, and must not be moved, since `io` points into it.
 * Guard: only the calling task uses it.
 */
struct user_pieces {
	struct user_iovec small[PIECES_STACK];
	struct user_iovec *pieces; /* `small`, or a heap block */
	size_t count;
	/* the pieces as memory of the current process, ready to be moved; set by user_pieces_get() */
	struct user_io io;
};

/* Return whether [base, base + size) lies below the end of users' addresses, mapped or not. */
static inline bool user_piece_ok(uint64_t base, uint64_t size)
{
	return base <= USER_END && size <= USER_END - base;
}

/*
 * Copy `count` pieces from `from`, which may be pieces of another process's memory: `io` is not set. Returns 0, and the
 * caller calls user_pieces_put(); or -EINVAL (too many, or a size that is negative as a signed number), -EFAULT,
 * -ENOMEM.
 */
int user_pieces_load(struct user_pieces *ret, uint64_t from, uint64_t count);

/*
 * Copy `count` pieces of the current process from `from`, and shorten them to TRANSFER_MAX bytes in all. Returns 0, and
 * the caller calls user_pieces_put(); or -EINVAL (too many, or a size that is negative as a signed number), -EFAULT,
 * -ENOMEM.
 */
int user_pieces_get(struct user_pieces *ret, uint64_t from, uint32_t count);
void user_pieces_put(struct user_pieces *pieces);
