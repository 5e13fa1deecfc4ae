/*
 * Clears memory that every context has (heap, stacks, image) of bytes of a user's that a call has had there: what stays
 * could be read by speculation in another task's context.
 */
#pragma once

#include "paging/types.h"

/*
 * Make [at, at + bytes) zero, and up to 7 bytes behind it that belong to the same buffer: `at` is aligned to 8 bytes, and
 * so is the buffer's size. Volatile stores, since nobody reads the zeros: the compiler would leave them out.
 */
static inline void wipe(void *at, size_t bytes)
{
	volatile uint64_t *word = at;

	for (size_t i = 0; i < bytes; i += sizeof(*word))
		*word++ = 0;
}
