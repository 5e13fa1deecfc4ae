/*
 * Offsets in struct tlb (kernel/mm/space/tlb.h) that the entry code of system calls uses.
 */
#pragma once

#define TLB_CR3_WRITES 0 /* stats.cr3_writes */
