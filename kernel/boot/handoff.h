/*
 * The numbers of the handoff that assembly needs as well; kernel/boot/boot_info.h has the rest.
 */
#pragma once

/* Changes with any change of struct boot_info or of the state at the kernel's first instruction. */
#define BOOT_INFO_VERSION 1
/* sizeof(struct boot_info), asserted there. */
#define BOOT_INFO_SIZE 1392

/* ELF note of the kernel, name "AnkeOS": struct kernel_note. */
#define KERNEL_NOTE 1
