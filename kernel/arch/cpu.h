/*
 * CPU instructions that C cannot express, each as a function: identification, MSRs, control registers, TLB, interrupts,
 * ports and descriptor tables.
 */
#pragma once

#include "kernel/arch/registers.h"
#include "paging/types.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t cpu_rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void cpu_write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)(value & 0xffffffff)), "d"((uint32_t)(value >> 32))
			 : "memory");
}

#define CPU_CONTROL_REGISTER(name)                                                  \
	static inline uint64_t cpu_read_##name(void)                                \
	{                                                                           \
		uint64_t value;                                                     \
                                                                                    \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory"); \
		return value;                                                       \
	}                                                                           \
                                                                                    \
	static inline void cpu_write_##name(uint64_t value)                         \
	{                                                                           \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");     \
	}

CPU_CONTROL_REGISTER(cr0)
CPU_CONTROL_REGISTER(cr2)
CPU_CONTROL_REGISTER(cr3)
CPU_CONTROL_REGISTER(cr4)

#undef CPU_CONTROL_REGISTER

static inline void cpu_invlpg(vaddr_t va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* What INVPCID invalidates (Intel SDM vol. 2A, "INVPCID"). */
enum invpcid_type {
	INVPCID_ADDRESS = 0, /* one address of one PCID, except global entries */
	INVPCID_ALL = 2,     /* all entries of all PCIDs, global ones too */
};

static inline void cpu_invpcid(enum invpcid_type type, uint64_t pcid, vaddr_t va)
{
	const uint64_t descriptor[2] = { pcid, va };

	__asm__ volatile("invpcid %0, %1" : : "m"(descriptor), "r"((uint64_t)type) : "memory");
}

static inline uint64_t cpu_read_flags(void)
{
	uint64_t flags;

	__asm__ volatile("pushfq; pop %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline void cpu_interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void cpu_interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void cpu_halt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* Keep the compiler from moving accesses to memory across this point. Generates no instruction. */
static inline void cpu_compiler_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

static inline void cpu_breakpoint(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}

#define CPU_PORT(bits, suffix)                                                                  \
	static inline uint##bits##_t cpu_in##bits(uint16_t port)                                \
	{                                                                                       \
		uint##bits##_t value;                                                           \
                                                                                                \
		__asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port) : "memory");  \
		return value;                                                                   \
	}                                                                                       \
                                                                                                \
	static inline void cpu_out##bits(uint16_t port, uint##bits##_t value)                   \
	{                                                                                       \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port) : "memory"); \
	}

CPU_PORT(8, "b")
CPU_PORT(16, "w")
CPU_PORT(32, "l")

#undef CPU_PORT

/* The operand of LGDT and LIDT. */
struct descriptor_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static inline void cpu_load_gdt(const struct descriptor_register *gdtr)
{
	__asm__ volatile("lgdt %0" : : "m"(*gdtr) : "memory");
}

static inline void cpu_load_idt(const struct descriptor_register *idtr)
{
	__asm__ volatile("lidt %0" : : "m"(*idtr) : "memory");
}

static inline void cpu_load_task_register(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}
