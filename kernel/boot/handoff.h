/*
 * The numbers of the handoff that assembly needs as well; kernel/boot/boot_info.h has the rest.
 */
#pragma once

/*
 * The version of the handoff: changes with any change of struct boot_info or of the state at the kernel's first
 * instruction.
 */
#define BOOT_INFO_VERSION 4
/* sizeof(struct boot_info), asserted in kernel/boot/boot_info.h. */
#define BOOT_INFO_SIZE 1408

/* The type of the kernel's ELF note named "AnkeOS", whose content is struct kernel_note. */
#define KERNEL_NOTE 1
