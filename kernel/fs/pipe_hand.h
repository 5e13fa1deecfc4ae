/*
 * A few bytes on their way from a writer of a pipe to a reader that was blocked when they were written. They lie in the
 * heap, which every context maps, so that neither task has to enter the kernel context for them, as it must for the
 * frames of the ring. The reader takes them as soon as it runs, and they are wiped. Guard: tasks only, which the kernel
 * does not preempt. Call all functions with the context of the current task's process loaded.
 */
#pragma once

#include "kernel/mm/user/user_io.h"

#define PIPE_HAND_BYTES 248 /* most bytes that are handed over at once: the structure then fills 256 bytes */

/* Bytes on their way to a blocked reader. Guard: tasks only, which the kernel does not preempt. */
struct pipe_hand {
	uint32_t start, end; /* bytes[start] to bytes[end - 1] wait to be taken; start is 0 unless some were taken */
	uint8_t bytes[PIPE_HAND_BYTES]; /* must be aligned to 8 bytes, for wipe() */
};

/* Return how many bytes wait to be taken; `hand` may be NULL. */
static inline uint64_t pipe_hand_fill(const struct pipe_hand *hand)
{
	return hand ? hand->end - hand->start : 0;
}

/*
 * Take `size` bytes, PIPE_HAND_BYTES at the most, from `io` into *hand, in which none may wait. *hand is allocated if
 * it is NULL. Returns whether there was memory for that; then *ret is `size`, or copy_errno()'s error with nothing
 * taken.
 */
bool pipe_hand_give(struct pipe_hand **hand, struct user_io *io, size_t size, int64_t *ret);

/*
 * Copy the waiting bytes to `io`, as many as it has room for, and wipe them once the last one is taken. Returns how
 * many; or copy_errno()'s error, with nothing taken.
 */
int64_t pipe_hand_take(struct pipe_hand *hand, struct user_io *io);

/*
 * pipe_hand_peek() copies up to `size` of the waiting bytes, the oldest first, to `buffer`; pipe_hand_skip() drops
 * them. Each returns how many these are. `hand` may be NULL.
 */
size_t pipe_hand_peek(const struct pipe_hand *hand, void *buffer, size_t size);
size_t pipe_hand_skip(struct pipe_hand *hand, size_t size);

/* Wipe what nobody has taken, and free `hand`, which may be NULL. */
void pipe_hand_free(struct pipe_hand *hand);
