/*
 * The debug registers (Intel SDM vol. 3B, "Debug Registers"): their bits, and functions that only read and write them.
 */
#pragma once

#include "paging/types.h"

#define DR6_CLEAR 0xffff0ff0ULL
#define DR6_HITS  0xfULL       /* a bit for each debug register whose condition was met */
#define DR6_BS    (1ULL << 14) /* a single step */
#define DR7_CLEAR 0x400ULL
#define DR7_GE    (1ULL << 9)

#define DEBUG_REGISTERS 4

#define CPU_DEBUG_REGISTER(name)                                                \
	static inline uint64_t cpu_read_##name(void)                            \
	{                                                                       \
		uint64_t value;                                                 \
                                                                                \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value));          \
		return value;                                                   \
	}                                                                       \
                                                                                \
	static inline void cpu_write_##name(uint64_t value)                     \
	{                                                                       \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory"); \
	}

CPU_DEBUG_REGISTER(dr0)
CPU_DEBUG_REGISTER(dr1)
CPU_DEBUG_REGISTER(dr2)
CPU_DEBUG_REGISTER(dr3)
CPU_DEBUG_REGISTER(dr6)
CPU_DEBUG_REGISTER(dr7)

#undef CPU_DEBUG_REGISTER
