/*
 * A set of CPUs, by their numbers.
 */
#pragma once

#include <stdbool.h>

#include "kernel/arch/cpus.h"

#define CPU_SET_WORDS (CPUS_MOST / 64)

/* Bit n % 64 of words[n / 64] stands for CPU n. Guard: its owner's. */
struct cpu_set {
	uint64_t words[CPU_SET_WORDS];
};

static inline bool cpu_set_has(const struct cpu_set *set, unsigned cpu)
{
	return set->words[cpu / 64] >> cpu % 64 & 1;
}

static inline bool cpu_set_is_empty(const struct cpu_set *set)
{
	uint64_t any = 0;

	for (int i = 0; i < CPU_SET_WORDS; i++)
		any |= set->words[i];
	return !any;
}

static inline void cpu_set_add(struct cpu_set *set, unsigned cpu)
{
	set->words[cpu / 64] |= 1ULL << cpu % 64;
}

static inline void cpu_set_remove(struct cpu_set *set, unsigned cpu)
{
	set->words[cpu / 64] &= ~(1ULL << cpu % 64);
}

/* Return the CPUs that are in both sets. */
static inline struct cpu_set cpu_set_both(const struct cpu_set *a, const struct cpu_set *b)
{
	struct cpu_set set;

	for (int i = 0; i < CPU_SET_WORDS; i++)
		set.words[i] = a->words[i] & b->words[i];
	return set;
}

/*
 * Return the first CPU of a set from `from` on, in the order of the numbers, in which 0 follows the last one; -1: the
 * set is empty.
 */
static inline int cpu_set_next(const struct cpu_set *set, unsigned from)
{
	uint64_t mask = ~0ULL << from % 64;

	for (unsigned i = from / 64; i <= from / 64 + CPU_SET_WORDS; i++, mask = ~0ULL) {
		const uint64_t bits = set->words[i % CPU_SET_WORDS] & mask;

		if (bits)
			return (int)(i % CPU_SET_WORDS * 64) + __builtin_ctzll(bits);
	}
	return -1;
}

/*
 * Parse a list of CPUs in the form that Linux's command line has: numbers and ranges ("1,4-6"). Returns false, *ret
 * undefined, when `text` is something else. Numbers that no CPU can have are left out.
 */
bool cpu_set_parse(const char *text, struct cpu_set *ret);
