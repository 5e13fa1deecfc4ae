/*
 * Instructions of vdso/, whose code runs in programs, in user mode.
 */
#pragma once

#include <stdint.h>

/*
 * Read the time-stamp counter when all loads before have been done. Without LFENCE the CPU may read it earlier, and a
 * thread could see a time before the one that another thread has handed to it.
 */
static inline uint64_t cpu_rdtsc_in_order(void)
{
	uint64_t low, high; /* RDTSC clears their upper halves */

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return low | high << 32;
}

/* Return the running CPU's number, which the kernel has put into its IA32_TSC_AUX, by RDTSCP. */
static inline uint32_t cpu_number_by_rdtscp(void)
{
	uint32_t low, high, number;

	__asm__ volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number));
	return number;
}

/* Make a system call with up to three arguments. */
static inline int64_t cpu_system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}
