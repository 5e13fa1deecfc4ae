/*
 * The memory map: every range of the address space, in the one place that the loader, the kernel, the linker script,
 * the tests and the documents read. Only plain constants, so that C, assembly and the linker script, which goes through
 * cpp, can include this file.
 *
 * 4-level paging, 48-bit linear addresses (Intel SDM vol. 3A, "4-Level Paging"). A context is a PML4 that CR3 can hold:
 * the kernel context, or the user context of a process. A range is half-open, [BASE, BASE + SIZE): the last one ends at
 * 2^64, which no 64-bit constant can say.
 */
#pragma once

#if defined(__ASSEMBLER__) || defined(__LINKER__)
#define LAYOUT_U64(x) x
#else
#define LAYOUT_U64(x) x##ULL
#endif

/* PML4 slots 0-255: user memory in a user context, empty in the kernel context. */
#define USER_BASE LAYOUT_U64(0x0000000000000000)
#define USER_SIZE LAYOUT_U64(0x0000800000000000)

/* PML4 slots 256-287: the direct map of all RAM (HHDM), kernel context only. */
#define HHDM_BASE LAYOUT_U64(0xffff800000000000)
#define HHDM_SIZE LAYOUT_U64(0x0000100000000000)

/* PML4 slots 288-319: the window for device memory, kernel context only. */
#define MMIO_BASE LAYOUT_U64(0xffff900000000000)
#define MMIO_SIZE LAYOUT_U64(0x0000100000000000)

/* PML4 slots 320-510: nothing is mapped there, in any context. */

/* PML4 slot 511, PDPT entries 0-509: heap and kernel stacks, in every context. */
#define HEAP_BASE LAYOUT_U64(0xffffff8000000000)
#define HEAP_SIZE LAYOUT_U64(0x0000007f80000000)

/* PML4 slot 511, PDPT entries 510-511: the kernel image, in every context. */
#define IMAGE_BASE LAYOUT_U64(0xffffffff80000000)
#define IMAGE_SIZE LAYOUT_U64(0x0000000080000000)

/* The one slot that is the same in every context. Only its leaves may be global. */
#define SHARED_SLOT 511
/* First slot of the upper half. */
#define KERNEL_SLOT 256

#if !defined(__ASSEMBLER__) && !defined(__LINKER__)

/* The map as data, lowest first: X(name, base, size, what it holds). */
#define LAYOUT_RANGES(X)                                   \
	X(USER, USER_BASE, USER_SIZE, "user memory")       \
	X(HHDM, HHDM_BASE, HHDM_SIZE, "direct map (HHDM)") \
	X(MMIO, MMIO_BASE, MMIO_SIZE, "MMIO window")       \
	X(HEAP, HEAP_BASE, HEAP_SIZE, "kernel heap")       \
	X(IMAGE, IMAGE_BASE, IMAGE_SIZE, "kernel image")

#define LAYOUT_SLOT(va) (((va) >> 39) & 511)

_Static_assert(USER_BASE + USER_SIZE == 1ULL << 47, "user memory is the lower half");
_Static_assert(HHDM_BASE == -(1ULL << 47), "the direct map opens the upper half");
_Static_assert(HHDM_BASE + HHDM_SIZE == MMIO_BASE, "MMIO follows the direct map");
_Static_assert(HEAP_BASE + HEAP_SIZE == IMAGE_BASE, "the image follows the heap");
_Static_assert(IMAGE_BASE + IMAGE_SIZE == 0, "the image ends the address space");
_Static_assert(LAYOUT_SLOT(HHDM_BASE) == KERNEL_SLOT, "HHDM starts at slot 256");
_Static_assert(LAYOUT_SLOT(MMIO_BASE) == 288, "MMIO starts at slot 288");
_Static_assert(LAYOUT_SLOT(HEAP_BASE) == SHARED_SLOT, "the heap lies in slot 511");
_Static_assert(LAYOUT_SLOT(IMAGE_BASE) == SHARED_SLOT, "the image lies in slot 511");
_Static_assert(HEAP_SIZE == 510ULL << 30, "the heap is 510 GiB");

#endif
