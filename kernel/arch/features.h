/*
 * What the CPU can do, asked once (Intel SDM vol. 2A, "CPUID"; AMD APM vol. 3, appendix E).
 * Reports only: what to turn on is protection.c's, and what to build on it the callers'.
 */
#pragma once

#include "paging/types.h"

/* The features that something here depends on or reports: X(field, name on the screen, leaf, register, bit). */
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

struct cpu_features {
	char vendor[13]; /* "GenuineIntel", …; ends with NUL */
	char brand[49];  /* as the CPU names itself, without leading blanks; empty when it does not */
	unsigned family; /* the extended fields added in */
	unsigned model;
	unsigned stepping;
	unsigned physical_bits; /* MAXPHYADDR: an entry's address bits above are reserved */
	unsigned linear_bits;
#define X(field, name, leaf, reg, bit) bool field;
	CPU_FEATURES(X)
#undef X
};

/* The CPU that this runs on; the first call asks it. */
const struct cpu_features *cpu_features(void);

/* The names of the features that are there, with blanks between, as snprintf(3) would write them. */
size_t cpu_features_format(const struct cpu_features *features, char *buffer, size_t size);
