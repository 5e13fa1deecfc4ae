/*
 * Supervisor-mode access prevention: the CPU itself sees to it that the kernel touches users' memory nowhere but in
 * kernel/arch/user_copy.S (Intel SDM vol. 3A, "Access Rights").
 */
#pragma once

/* On a CPU that has it those routines get their STAC and CLAC. Once, at start; before there is user memory. */
void smap_init(void);
