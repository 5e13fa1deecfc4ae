/*
 * A set of CPUs, by their numbers.
 */
#pragma once

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
