/*
 * CPU instructions, as functions, that are needed only to run user programs: segment bases, FPU state, waiting for an
 * interrupt, and SMAP.
 */
#pragma once

#include "paging/types.h"

#define CPU_SEGMENT_BASE(name)                                               \
	static inline uint64_t cpu_rd##name(void)                            \
	{                                                                    \
		uint64_t base;                                               \
                                                                             \
		__asm__ volatile("rd" #name " %0" : "=r"(base));             \
		return base;                                                 \
	}                                                                    \
                                                                             \
	static inline void cpu_wr##name(uint64_t base)                       \
	{                                                                    \
		__asm__ volatile("wr" #name " %0" : : "r"(base) : "memory"); \
	}

CPU_SEGMENT_BASE(fsbase)
CPU_SEGMENT_BASE(gsbase)

#undef CPU_SEGMENT_BASE

static inline void cpu_xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/*
 * Save the FPU state to `area`, or load it from there. `area` is aligned to 64 bytes; for FXSAVE and FXRSTOR to 16.
 * `components` is a mask of the components to save or load, with XCR0's bits.
 */
static inline void cpu_xsave(void *area, uint64_t components)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
			 : "memory");
}

static inline void cpu_xsaveopt(void *area, uint64_t components)
{
	__asm__ volatile("xsaveopt64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
			 : "memory");
}

static inline void cpu_xrstor(const void *area, uint64_t components)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)components), "d"((uint32_t)(components >> 32))
			 : "memory");
}

static inline void cpu_fxsave(void *area)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static inline void cpu_fxrstor(const void *area)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

/*
 * Turn interrupts on and sleep until one comes. None can come between STI and HLT: STI takes effect one
 * instruction later.
 */
static inline void cpu_interrupts_on_and_halt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

/* Forbid the kernel to touch user memory (clear RFLAGS.AC). Call only on a CPU with SMAP. */
static inline void cpu_clac(void)
{
	__asm__ volatile("clac" : : : "memory");
}
