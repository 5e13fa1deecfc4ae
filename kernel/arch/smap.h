/*
 * Supervisor-mode access prevention: the CPU itself sees to it that the kernel touches users' memory nowhere but in
 * kernel/arch/user_copy.S (Intel SDM vol. 3A, "Access Rights").
 */
#pragma once

/*
 * Give the routines of user_copy.S their STAC and CLAC, on a CPU with SMAP. Once, at start, before there is user
 * memory.
 */
void smap_init(void);
