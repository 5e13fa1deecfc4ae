/* Turns on the CPU's protections of memory, which every context relies on. */
#pragma once

/*
 * Turn on what every context relies on: the PAT as paging/pte.h expects it; CR0.WP, EFER.NXE; SMEP, SMAP and UMIP where
 * the CPU has them. Also, for user programs, the floating-point units, and XSAVE and FSGSBASE where the CPU has them.
 * Global pages are turned on later, when slot 511 has some (kernel_space_init).
 */
void protection_init(void);
