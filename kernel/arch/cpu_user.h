/*
 * Fast copying and zeroing of the frames of user memory, through the kernel's own pointers. The instructions that touch
 * memory through a user's pointer are in user_copy.S.
 */
#pragma once

#include "paging/types.h"

/*
 * All instructions in this file are unprivileged, so that the host's tests can run them. They rely on a clear direction
 * flag, which the ABI promises.
 */

/* Copy 4 KiB. */
static inline void cpu_copy_page(void *to, const void *from)
{
	uint64_t words = PAGE_SIZE / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

/*
 * Copy any number of bytes between ranges that do not overlap. Meant for large sizes, where `rep movsq` is the fastest
 * way without vector registers. QEMU's instruction count takes each 8 bytes for an instruction.
 */
static inline void cpu_copy_bulk(void *to, const void *from, size_t bytes)
{
	uint64_t count = bytes / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	count = bytes % 8;
	if (count)
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* Zero any number of bytes. Meant for large sizes, as cpu_copy_bulk() is. */
static inline void cpu_zero_bulk(void *to, size_t bytes)
{
	uint64_t count = bytes / 8;

	__asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0ULL) : "memory");
	count = bytes % 8;
	if (count)
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(0ULL) : "memory");
}

/* Zero `pages` pages in a row. */
static inline void cpu_zero_pages(void *page, size_t pages)
{
	uint64_t words = pages * (PAGE_SIZE / 8);

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ULL) : "memory");
}
