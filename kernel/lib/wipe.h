/*
 * Clears memory that every context has (heap, stacks, image) of bytes of a user's that a call has had there: what stays
 * could be read by speculation in another task's context.
 */
#pragma once

#include "paging/types.h"

/*
 * Make [at, at + bytes) zero; `at` is aligned to 8 bytes. Volatile stores, since nobody reads the zeros: the compiler
 * would leave them out.
 */
static inline void wipe(void *at, size_t bytes)
{
	volatile uint64_t *word = at;
	volatile uint8_t *byte;

	for (; bytes >= sizeof(*word); bytes -= sizeof(*word))
		*word++ = 0;
	for (byte = (volatile uint8_t *)word; bytes; bytes--)
		*byte++ = 0;
}
