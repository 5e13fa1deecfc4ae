/* Turns on the CPU's protections of memory, which the kernel relies on whatever page tables are loaded. */
#pragma once

/*
 * Turn on what all page tables of the kernel rely on: the PAT as paging/pte.h expects it; CR0.WP, EFER.NXE; SMEP, SMAP
 * and UMIP where the CPU has them. Also, for user programs, the floating-point units, and XSAVE and FSGSBASE where the
 * CPU has them. Global pages are turned on later, by kernel_space_init(), when slot 511 of the PML4 has some.
 */
void protection_init(void);
