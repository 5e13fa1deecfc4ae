/*
 * The CPU's protections: what every context relies on.
 */
#pragma once

/*
 * PAT as paging/pte.h expects it; CR0.WP, EFER.NXE; SMEP, SMAP and UMIP where the CPU has them. The floating-point
 * units are there for user programs, XSAVE and FSGSBASE where the CPU has them.
 * Global pages are turned on when slot 511 has them (kernel_space_init).
 */
void protection_init(void);
