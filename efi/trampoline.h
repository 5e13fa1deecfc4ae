/*
 * The last instructions of the loader, in a page of their own, which is mapped at the same address in the firmware's
 * tables and in the new ones, so that the CPU still finds the instruction that follows the load of CR3.
 */
#pragma once

/* Offsets in struct jump for assembly; asserted below. */
#define JUMP_ROOT  0
#define JUMP_ENTRY 8
#define JUMP_STACK 16
#define JUMP_INFO  24

#ifndef __ASSEMBLER__

#include "paging/types.h"

struct jump {
	paddr_t root;  /* the new PML4; below 4 GiB */
	vaddr_t entry; /* the kernel's first instruction */
	vaddr_t stack; /* the kernel's RSP, before the return address (0) is pushed */
	vaddr_t info;  /* struct boot_info in the direct map */
};

_Static_assert(offsetof(struct jump, root) == JUMP_ROOT, "trampoline.S");
_Static_assert(offsetof(struct jump, entry) == JUMP_ENTRY, "trampoline.S");
_Static_assert(offsetof(struct jump, stack) == JUMP_STACK, "trampoline.S");
_Static_assert(offsetof(struct jump, info) == JUMP_INFO, "trampoline.S");

/* The page that holds trampoline_jump() and trampoline_jump_la57(). */
extern const char trampoline_page[];

/*
 * Load the new root and enter the kernel. Call with interrupts off, 4-level paging on, and `jump` mapped by the
 * firmware's tables.
 */
__attribute__((noreturn)) void trampoline_jump(const struct jump *jump);

/*
 * Load jump->root and enter the kernel from 5-level paging, which the firmware left on. CR4.LA57 cannot change while
 * paging is on (Intel SDM vol. 3A, "Paging-Mode Enabling"): so the switch is made in 32-bit mode without paging, in a
 * copy of trampoline_page below 4 GiB.
 *
 * low:  a page below 4 GiB that receives the copy; jump->root must map it at its own physical address
 * pml5: a root for 5-level paging, below 4 GiB, whose entry 0 is `jump->root`
 */
__attribute__((noreturn)) void trampoline_jump_la57(const struct jump *jump, void *low, paddr_t pml5);

#endif
