/*
 * Counts bits, for which a baseline x86-64 CPU has no instruction: the compiler calls this function of its run-time
 * library, with which the kernel is not linked.
 */
#include <stdint.h>

int __popcountdi2(int64_t value);

/* Count the bits that are 1: sums of neighbours, in fields of 2, 4 and 8 bits, then the sum of all bytes. */
int __popcountdi2(int64_t value)
{
	uint64_t x = (uint64_t)value;

	x -= x >> 1 & 0x5555555555555555;
	x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (int)(x * 0x0101010101010101 >> 56);
}
