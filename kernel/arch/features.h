/*
 * What the CPU can do, asked once (Intel SDM vol. 2A, "CPUID"; AMD APM vol. 3, appendix E).
 * Only reports: protection.c turns features on, and callers decide what to build on them.
 */
#pragma once

#include "kernel/lib/likely.h"
#include "paging/types.h"

/* The features that the kernel depends on or reports: X(field, name on the screen, leaf, register, bit). */
#define CPU_FEATURES(X)                              \
	X(tsc, "TSC", 1, edx, 4)                     \
	X(mce, "MCE", 1, edx, 7)                     \
	X(apic, "APIC", 1, edx, 9)                   \
	X(pge, "PGE", 1, edx, 13)                    \
	X(pat, "PAT", 1, edx, 16)                    \
	X(sse2, "SSE2", 1, edx, 26)                  \
	X(pcid, "PCID", 1, ecx, 17)                  \
	X(x2apic, "x2APIC", 1, ecx, 21)              \
	X(tsc_deadline, "TSC-deadline", 1, ecx, 24)  \
	X(xsave, "XSAVE", 1, ecx, 26)                \
	X(rdrand, "RDRAND", 1, ecx, 30)              \
	X(hypervisor, "hypervisor", 1, ecx, 31)      \
	X(fsgsbase, "FSGSBASE", 7, ebx, 0)           \
	X(smep, "SMEP", 7, ebx, 7)                   \
	X(erms, "ERMS", 7, ebx, 9)                   \
	X(invpcid, "INVPCID", 7, ebx, 10)            \
	X(rdseed, "RDSEED", 7, ebx, 18)              \
	X(smap, "SMAP", 7, ebx, 20)                  \
	X(umip, "UMIP", 7, ecx, 2)                   \
	X(pku, "PKU", 7, ecx, 3)                     \
	X(la57, "LA57", 7, ecx, 16)                  \
	X(cet_ibt, "CET-IBT", 7, edx, 20)            \
	X(syscall, "SYSCALL", 0x80000001, edx, 11)   \
	X(nx, "NX", 0x80000001, edx, 20)             \
	X(pages_1g, "1G-pages", 0x80000001, edx, 26) \
	X(rdtscp, "RDTSCP", 0x80000001, edx, 27)     \
	X(invariant_tsc, "invariant-TSC", 0x80000007, edx, 8)

/* What CPUID says of the CPU. Fixed after boot. */
struct cpu_features {
	char vendor[13]; /* "GenuineIntel", …; ends with NUL */
	char brand[49];  /* the CPU's name for itself, without leading blanks; empty when it has none */
	unsigned family; /* family and extended family added */
	unsigned model;
	unsigned stepping;
	unsigned physical_bits; /* MAXPHYADDR, the width of physical addresses: higher bits of an entry are reserved */
	unsigned linear_bits;
#define X(field, name, leaf, reg, bit) bool field;
	CPU_FEATURES(X)
#undef X
};

/*
 * What cpu_features() returns: all zero until cpu_features_ask() has asked the CPU, and fixed then. Paths on which each
 * instruction counts may read it directly.
 */
extern struct cpu_features cpu_features_found;
const struct cpu_features *cpu_features_ask(void);

/* Return the features of the CPU that this runs on; the first call asks the CPU. */
static inline const struct cpu_features *cpu_features(void)
{
	return likely(cpu_features_found.vendor[0]) ? &cpu_features_found : cpu_features_ask();
}

/*
 * Write the names of the features that the CPU has, with blanks between, as snprintf(3) would. Returns the whole
 * length.
 */
size_t cpu_features_format(const struct cpu_features *features, char *buffer, size_t size);
