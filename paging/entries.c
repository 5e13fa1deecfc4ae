/*
 * Stores, clears and counts entries in a row: the loops in which operations on large ranges spend most of their time.
 */
#include "paging/internal.h"

#if defined(__SSE2__)
/*
 * In programs of the host, which may use vector registers, entries are stored in pairs, by one instruction each. The
 * CPU may see one half of such a store before the other, but never half of an entry.
 */
void entries_fill(pte_t *at, pte_t first, uint64_t step, size_t n)
{
	pte_pair pair = { first.raw, first.raw + step };
	const pte_pair next = { 2 * step, 2 * step };

	for (; n >= 16; n -= 16, at += 16) {
#pragma GCC unroll 8
		for (int i = 0; i < 16; i += 2, pair += next)
			*(volatile pte_pair *)&at[i] = pair;
	}
	for (uint64_t raw = pair[0]; n; n--, at++, raw += step)
		pte_write(at, (pte_t){ raw });
}
#else
/* Loader and kernel may use general registers only: one store and one addition for each entry. */
void entries_fill(pte_t *at, pte_t first, uint64_t step, size_t n)
{
	uint64_t raw = first.raw;

	for (; n >= 32; n -= 32, at += 32) {
#pragma GCC unroll 32
		for (int i = 0; i < 32; i++, raw += step)
			pte_write(&at[i], (pte_t){ raw });
	}
	for (; n; n--, at++, raw += step)
		pte_write(at, (pte_t){ raw });
}
#endif

/*
 * Clear entries by a loop of its own, not by entries_fill() with the value 0: without vector registers entries_fill()
 * takes as long to compute the values as to store them.
 */
void entries_clear(pte_t *at, size_t n)
{
	const pte_pair none = { 0, 0 };

	for (; n >= 32; n -= 32, at += 32) {
#pragma GCC unroll 16
		for (int i = 0; i < 32; i += 2)
			*(volatile pte_pair *)&at[i] = none;
	}
	for (; n; n--)
		pte_write(at++, (pte_t){ 0 });
}

size_t entries_absent(const pte_t *at, size_t n)
{
	size_t absent = 0;

	for (; n - absent >= 16; absent += 16) {
		pte_pair any = { 0, 0 };

#pragma GCC unroll 8
		for (int i = 0; i < 16; i += 2)
			any |= *(const pte_pair *)&at[absent + i];
		if ((any[0] | any[1]) & PTE_PRESENT)
			break;
	}
	while (absent < n && !pte_present(pte_read(&at[absent])))
		absent++;
	return absent;
}
