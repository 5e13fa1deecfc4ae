/*
 * SCRATCH marks variables whose memory is written before it is read: the loader then need not zero it (ELF_SCRATCH in
 * kernel/lib/elf.h; kernel/arch/kernel.ld gives such memory a segment).
 */
#pragma once

#ifdef HOST_TEST
#define SCRATCH
#else
#define SCRATCH __attribute__((section(".bss.scratch")))
#endif
