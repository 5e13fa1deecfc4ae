/*
 * The names of the registers' bits (Intel SDM vol. 3A, "Control Registers"; vol. 4, "Architectural MSRs").
 */
#pragma once

#define CR0_WP (1ULL << 16)

/* In a value to be loaded while CR4.PCIDE is set (Intel SDM vol. 3A, "MOV—Move to/from Control Registers"). */
#define CR3_PCID    0xfffULL
#define CR3_NOFLUSH (1ULL << 63) /* keep what the TLB has for that PCID; reads back as 0 */

#define CR4_PAE        (1ULL << 5)
#define CR4_MCE        (1ULL << 6)
#define CR4_PGE        (1ULL << 7)
#define CR4_OSFXSR     (1ULL << 9)
#define CR4_OSXMMEXCPT (1ULL << 10)
#define CR4_UMIP       (1ULL << 11)
#define CR4_LA57       (1ULL << 12)
#define CR4_PCIDE      (1ULL << 17)
#define CR4_SMEP       (1ULL << 20)
#define CR4_SMAP       (1ULL << 21)

#define EFER_NXE (1ULL << 11)

#define MSR_MICROCODE 0x8b /* IA32_BIOS_SIGN_ID: the revision in the upper half, after a CPUID with leaf 1 */
#define MSR_PAT       0x277
#define MSR_EFER      0xc0000080

#define RFLAGS_IF    (1ULL << 9)
#define RFLAGS_CLEAR 2ULL /* all off; bit 1 is always 1 */
