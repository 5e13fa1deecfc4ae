/*
 * Ordering of memory accesses, for devices that need it.
 */
#pragma once

/* Order memory: all loads and stores before the call are done before any after it (Intel SDM vol. 2B, "MFENCE"). */
static inline void cpu_fence(void)
{
	__asm__ volatile("mfence" : : : "memory");
}
