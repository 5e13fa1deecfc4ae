/*
 * The CPU's random numbers (Intel SDM vol. 1, "RDRAND Instruction", "RDSEED Instruction").
 */
#pragma once

#include "paging/types.h"

/*
 * Take 64 random bits. Returns false, *ret as before, when the CPU has none ready now. Call cpu_rdrand() and
 * cpu_rdseed() only where CPUID reports the instruction (kernel/arch/features.h).
 */
static inline bool cpu_rdrand(uint64_t *ret)
{
	uint64_t value;
	bool ready;

	__asm__ volatile("rdrand %0" : "=r"(value), "=@ccc"(ready) : : "memory");
	if (ready)
		*ret = value;
	return ready;
}

static inline bool cpu_rdseed(uint64_t *ret)
{
	uint64_t value;
	bool ready;

	__asm__ volatile("rdseed %0" : "=r"(value), "=@ccc"(ready) : : "memory");
	if (ready)
		*ret = value;
	return ready;
}
