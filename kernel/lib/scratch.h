/*
 * Memory that is written before it is read: the loader leaves it as it is, which saves it the zeroing (ELF_SCRATCH in
 * kernel/lib/elf.h; kernel/arch/kernel.ld gives it a segment).
 */
#pragma once

#define SCRATCH __attribute__((section(".bss.scratch")))
