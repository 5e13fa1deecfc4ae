/*
 * The memory and string functions of a program without a C library. Compilers call the first four by themselves, so
 * their bodies must not be compiled into calls of themselves. They are written for few instructions, which `make
 * bench-boot` counts: memcpy, memmove and memset handle whole blocks, and then one more block that overlaps the blocks
 * before it, instead of a loop over the last bytes. `rep stosb` would gain nothing: an emulator counts each of its
 * steps as an instruction.
 */
#include "kernel/lib/string.h"

#include <stdint.h>

#if !defined(HOST_TEST)
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#endif

/* Keep the compiler from recognising a memset in memset's own loop. */
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_builtin)), apply_to = function)
#else
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef uint32_t word32 __attribute__((aligned(1), may_alias));
typedef uint64_t word64 __attribute__((aligned(1), may_alias));

/*
 * A block is 8 bytes in the kernel, which leaves the SSE registers to user programs, and in the loader, to which UEFI
 * does not promise that it may use them. In programs of the host (tests, benchmarks) a block is 16 bytes.
 */
#if defined(__SSE2__)
typedef long long block __attribute__((vector_size(16), aligned(1), may_alias));
#define BLOCK_OF(word) ((block){ (long long)(word), (long long)(word) })
#else
typedef word64 block;
#define BLOCK_OF(word) (word)
#endif

#define BLOCK sizeof(block)

static block load(const unsigned char *at)
{
	return *(const block *)at;
}

static void store(unsigned char *at, block value)
{
	*(block *)at = value;
}

/* Copy less than a block. All bytes are read before any is written, so that an overlap does no harm. */
static void copy_little(unsigned char *to, const unsigned char *from, size_t bytes)
{
	if (bytes >= 8) {
		word64 first = *(const word64 *)from, last = *(const word64 *)(from + bytes - 8);

		*(word64 *)to = first;
		*(word64 *)(to + bytes - 8) = last;
	} else if (bytes >= 4) {
		word32 first = *(const word32 *)from, last = *(const word32 *)(from + bytes - 4);

		*(word32 *)to = first;
		*(word32 *)(to + bytes - 4) = last;
	} else if (bytes) {
		unsigned char first = from[0], middle = from[bytes / 2], last = from[bytes - 1];

		to[0] = first;
		to[bytes / 2] = middle;
		to[bytes - 1] = last;
	}
}

/* Copy when `to` lies below `from`, or without overlap: each block is read before a write can reach it. */
static void copy_upwards(unsigned char *to, const unsigned char *from, size_t bytes)
{
	unsigned char *end = to + bytes;
	block last;

	if (bytes < BLOCK) {
		copy_little(to, from, bytes);
		return;
	}
	last = load(from + bytes - BLOCK);
	for (; bytes >= 4 * BLOCK; bytes -= 4 * BLOCK, to += 4 * BLOCK, from += 4 * BLOCK) {
		block a = load(from), b = load(from + BLOCK), c = load(from + 2 * BLOCK), d = load(from + 3 * BLOCK);

		store(to, a);
		store(to + BLOCK, b);
		store(to + 2 * BLOCK, c);
		store(to + 3 * BLOCK, d);
	}
	for (; bytes >= BLOCK; bytes -= BLOCK, to += BLOCK, from += BLOCK)
		store(to, load(from));
	store(end - BLOCK, last);
}

/* Copy when `to` lies above `from`: as copy_upwards(), but from the end to the start. */
static void copy_downwards(unsigned char *to, const unsigned char *from, size_t bytes)
{
	block first;

	if (bytes < BLOCK) {
		copy_little(to, from, bytes);
		return;
	}
	first = load(from);
	for (; bytes >= 4 * BLOCK; bytes -= 4 * BLOCK) {
		const unsigned char *source = from + bytes - 4 * BLOCK;
		unsigned char *target = to + bytes - 4 * BLOCK;
		block a = load(source), b = load(source + BLOCK), c = load(source + 2 * BLOCK),
		      d = load(source + 3 * BLOCK);

		store(target, a);
		store(target + BLOCK, b);
		store(target + 2 * BLOCK, c);
		store(target + 3 * BLOCK, d);
	}
	for (; bytes >= BLOCK; bytes -= BLOCK)
		store(to + bytes - BLOCK, load(from + bytes - BLOCK));
	store(to, first);
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	copy_upwards(to, from, bytes);
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	if ((uintptr_t)to <= (uintptr_t)from)
		copy_upwards(to, from, bytes);
	else
		copy_downwards(to, from, bytes);
	return to;
}

static void fill_little(unsigned char *at, uint64_t word, size_t bytes)
{
	if (bytes >= 8) {
		*(word64 *)at = word;
		*(word64 *)(at + bytes - 8) = word;
	} else if (bytes >= 4) {
		*(word32 *)at = (uint32_t)word;
		*(word32 *)(at + bytes - 4) = (uint32_t)word;
	} else if (bytes) {
		at[0] = at[bytes / 2] = at[bytes - 1] = (unsigned char)word;
	}
}

void *memset(void *to, int value, size_t bytes)
{
	uint64_t word = 0x0101010101010101U * (unsigned char)value;
	unsigned char *at = to, *end = at + bytes;
	block fill = BLOCK_OF(word);

	if (bytes < BLOCK) {
		fill_little(at, word, bytes);
		return to;
	}
	for (; bytes >= 4 * BLOCK; bytes -= 4 * BLOCK, at += 4 * BLOCK) {
		store(at, fill);
		store(at + BLOCK, fill);
		store(at + 2 * BLOCK, fill);
		store(at + 3 * BLOCK, fill);
	}
	for (; bytes >= BLOCK; bytes -= BLOCK, at += BLOCK)
		store(at, fill);
	store(end - BLOCK, fill);
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b, *end = x + bytes;

	if (bytes >= 8) {
		for (; x + 8 < end && *(const word64 *)x == *(const word64 *)y; x += 8, y += 8)
			;
		/* Up to eight bytes are left: compare the last eight, of which some may be known to be equal. */
		if (x + 8 >= end) {
			y -= x - (end - 8);
			x = end - 8;
			if (*(const word64 *)x == *(const word64 *)y)
				return 0;
		}
	} else if (bytes >= 4 && *(const word32 *)x == *(const word32 *)y &&
		   *(const word32 *)(end - 4) == *(const word32 *)(y + bytes - 4)) {
		return 0;
	}
	for (; x < end; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

#define ONES  0x0101010101010101ULL
#define HIGHS 0x8080808080808080ULL

/* Return the highest bit of each byte of `word` that is 0. Above the lowest such byte there may be wrong bits. */
static uint64_t zeros_of(uint64_t word)
{
	return (word - ONES) & ~word & HIGHS;
}

/* Marks a function that reads whole words: the bytes of a word before or behind a string may be another object's. */
#define READS_WORDS __attribute__((no_sanitize("address")))

/*
 * Return the number of bytes from s to the first byte that is 0 or `stop` (a word whose eight bytes are all the same),
 * but at most `most`. Words are read aligned, so that no word reaches into a page that the string does not touch. The
 * function is inlined, so that a `stop` of 0 costs nothing.
 */
READS_WORDS __attribute__((always_inline)) static inline size_t length_until(const char *s, uint64_t stop, size_t most)
{
	const word64 *at = (const word64 *)((uintptr_t)s & ~(uintptr_t)7);
	unsigned before = (uintptr_t)s % 8;
	uint64_t not_ours = (1ULL << 8 * before) - 1; /* the bytes of the first word that are not the string's */
	uint64_t found = zeros_of(*at | not_ours) | zeros_of((*at ^ stop) | not_ours);
	size_t length = 0;

	while (!found) {
		length += 8;
		if (length - before >= most)
			return most;
		at++;
		found = zeros_of(*at) | zeros_of(*at ^ stop);
	}
	length += (size_t)__builtin_ctzll(found) / 8;
	length -= before;
	return length < most ? length : most;
}

READS_WORDS size_t strnlen(const char *s, size_t most)
{
	return most ? length_until(s, 0, most) : 0;
}

READS_WORDS size_t strcspn(const char *s, const char *reject)
{
	size_t length = 0;

	if (reject[0] && !reject[1])
		return length_until(s, ONES * (unsigned char)reject[0], PTRDIFF_MAX);
	while (s[length] && !strchr(reject, s[length]))
		length++;
	return length;
}

/* The loop of length_until() without its `most`, for speed: execve(2) asks for the length of each of its strings. */
READS_WORDS size_t strlen(const char *s)
{
	const word64 *at = (const word64 *)((uintptr_t)s & ~(uintptr_t)7);
	uint64_t found = zeros_of(*at | ((1ULL << 8 * ((uintptr_t)s % 8)) - 1));

	while (!found)
		found = zeros_of(*++at);
	return (size_t)((const char *)at - s) + (size_t)__builtin_ctzll(found) / 8;
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (; most; most--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	/* C's own signature of strchr() drops the const. */
	return (char *)(uintptr_t)s;
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
