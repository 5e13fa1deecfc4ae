/*
 * Clears copies of a user's bytes that a system call has made in memory that every context maps (heap, stacks, image):
 * what stays there could be read by speculation while another program's context is loaded.
 */
#pragma once

#include "paging/types.h"

/*
 * Make [at, at + bytes) zero; `at` is aligned to 8 bytes. The stores are volatile: the compiler would leave out plain
 * ones, since nobody reads the zeros.
 */
static inline void wipe(void *at, size_t bytes)
{
	volatile uint64_t *word = at;
	volatile uint8_t *byte;

	for (; bytes >= 4 * sizeof(*word); bytes -= 4 * sizeof(*word), word += 4) {
		word[0] = 0;
		word[1] = 0;
		word[2] = 0;
		word[3] = 0;
	}
	for (; bytes >= sizeof(*word); bytes -= sizeof(*word))
		*word++ = 0;
	for (byte = (volatile uint8_t *)word; bytes; bytes--)
		*byte++ = 0;
}
