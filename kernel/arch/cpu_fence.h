/*
 * Ordering of memory accesses, for devices that need it.
 */
#pragma once

/* All loads and stores before it are seen before any after it (Intel SDM vol. 2B, "MFENCE"). */
static inline void cpu_fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}
