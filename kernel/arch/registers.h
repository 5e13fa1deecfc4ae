/*
 * The names of the registers' bits (Intel SDM vol. 3A, "Control Registers"; vol. 4, "Architectural MSRs").
 */
#pragma once

#define CR0_MP (1ULL << 1)
#define CR0_EM (1ULL << 2)
#define CR0_TS (1ULL << 3)
#define CR0_NE (1ULL << 5)
#define CR0_WP (1ULL << 16)

/* Bits of a value to load into CR3 while CR4.PCIDE is set (Intel SDM vol. 3A, "MOV—Move to/from Control Registers"). */
#define CR3_PCID    0xfffULL
#define CR3_NOFLUSH (1ULL << 63) /* keep what the TLB holds for that PCID; the bit reads back as 0 */

#define CR4_PAE        (1ULL << 5)
#define CR4_MCE        (1ULL << 6)
#define CR4_PGE        (1ULL << 7)
#define CR4_OSFXSR     (1ULL << 9)
#define CR4_OSXMMEXCPT (1ULL << 10)
#define CR4_UMIP       (1ULL << 11)
#define CR4_LA57       (1ULL << 12)
#define CR4_FSGSBASE   (1ULL << 16)
#define CR4_PCIDE      (1ULL << 17)
#define CR4_OSXSAVE    (1ULL << 18)
#define CR4_SMEP       (1ULL << 20)
#define CR4_SMAP       (1ULL << 21)

#define EFER_SCE (1ULL << 0)
#define EFER_NXE (1ULL << 11)

#define MSR_MICROCODE      0x8b /* IA32_BIOS_SIGN_ID: the revision in the upper half, after a CPUID with leaf 1 */
#define MSR_PAT            0x277
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_FMASK          0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103 /* what RDTSCP returns in ECX */

#define RFLAGS_CLEAR 2ULL /* all flags off; bit 1 is always 1 */
#define RFLAGS_TF    (1ULL << 8)
#define RFLAGS_IF    (1ULL << 9)
#define RFLAGS_DF    (1ULL << 10)
#define RFLAGS_IOPL  (3ULL << 12)
#define RFLAGS_NT    (1ULL << 14)
#define RFLAGS_RF    (1ULL << 16)
#define RFLAGS_AC    (1ULL << 18)
