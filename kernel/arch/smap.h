/*
 * Supervisor-mode access prevention (SMAP): the CPU faults when the kernel touches user memory anywhere but in
 * kernel/arch/user_copy.S (Intel SDM vol. 3A, "Access Rights").
 */
#pragma once

/*
 * Write STAC and CLAC into the routines of user_copy.S, if the CPU has SMAP. Call once, at boot, before there is user
 * memory.
 */
void smap_init(void);
