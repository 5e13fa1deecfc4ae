/*
 * The meaning of a page-table entry, at all four levels (Intel SDM vol. 3A, "4-Level Paging"; "Page Attribute Table
 * (PAT)"). This file is about the bits of one entry; space.h is about tables and walks.
 */
#pragma once

#include "paging/types.h"

typedef struct {
	uint64_t raw;
} pte_t;

#define PTE_PRESENT  (1ULL << 0)
#define PTE_WRITABLE (1ULL << 1)
#define PTE_USER     (1ULL << 2)
#define PTE_PWT      (1ULL << 3) /* PAT index bit 0 */
#define PTE_PCD      (1ULL << 4) /* PAT index bit 1 */
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY    (1ULL << 6) /* leaves only */
#define PTE_HUGE     (1ULL << 7) /* PS: a leaf at level 2 or 3 */
#define PTE_GLOBAL   (1ULL << 8) /* leaves only */
/*
 * for AnkeOS's own use (the CPU ignores bit 9): the table that this entry refers to is shared or permanent, never freed
 */
#define PTE_PINNED  (1ULL << 9)
#define PTE_NX      (1ULL << 63)
#define PTE_ADDRESS 0x000ffffffffff000ULL

#define PTE_ADDRESS_BITS 52 /* the width of PTE_ADDRESS: no CPU has more physical address bits */

/*
 * The value that IA32_PAT must have for `enum page_prot`: index 0 WB, 1 WC, 2 WT, 3 UC, then WB, WP, UC-, WT. Only the
 * indices 0-3 are used, because their bits (PTE_PWT, PTE_PCD) are at the same place in every leaf.
 * Index 1 changes from the reset value's WT to WC, and index 2 from UC- to WT. UC- is not needed: it differs from UC
 * only where an MTRR says write-combining, and AnkeOS uses WC for that.
 */
#define PAT_VALUE 0x0407050600040106ULL

/*
 * Rights and memory type of a leaf. Present memory is always readable.
 * PROT_W with PROT_X is refused by every operation.
 * The values are the entry's own bits, PTE_NX excepted, so that conversion either way costs little.
 */
enum page_prot {
	PROT_R = 0,
	PROT_X = 1 << 0,
	PROT_W = 1 << 1,
	PROT_USER = 1 << 2,
	/* memory type, one of four; write-back when none is named */
	PROT_WB = 0 << 3,
	PROT_WC = 1 << 3, /* write-combining: framebuffers */
	PROT_WT = 2 << 3, /* write-through: device memory that is read more than written */
	PROT_UC = 3 << 3, /* uncached: device registers */
	PROT_TYPE = 3 << 3,
	PROT_GLOBAL = 1 << 8,
};

/* The bits that a leaf and an enum page_prot have in common: a mask for both. */
#define PTE_PROT (PTE_WRITABLE | PTE_USER | PTE_PWT | PTE_PCD | PTE_GLOBAL)

/*
 * Return an entry of `level` that maps memory at `pa`.
 * Accessed and (when writable) dirty are set at once: the CPU then never has to write them.
 */
/* clang-format off */
static inline pte_t pte_leaf(paddr_t pa, enum page_prot prot, int level)
{
	return (pte_t){ pa.raw | PTE_PRESENT | PTE_ACCESSED | (prot & PTE_PROT) |
			(prot & PROT_W ? PTE_DIRTY : 0) |
			(level > 1 ? PTE_HUGE : 0) |
			(prot & PROT_X ? 0 : PTE_NX) };
}
/* clang-format on */

/*
 * Return an entry that refers to the table at `pa`. The entry allows writing and executing, and user access if `user`,
 * so that the leaves below it decide about rights.
 */
static inline pte_t pte_table(paddr_t pa, bool user)
{
	return (pte_t){ pa.raw | PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | (user ? PTE_USER : 0) };
}

static inline bool pte_present(pte_t e)
{
	return e.raw & PTE_PRESENT;
}

static inline bool pte_is_leaf(pte_t e, int level)
{
	return pte_present(e) && (level == 1 || (e.raw & PTE_HUGE));
}

static inline bool pte_is_table(pte_t e, int level)
{
	return pte_present(e) && level > 1 && !(e.raw & PTE_HUGE);
}

/* Return how many bytes one entry of `level` (1-4) spans. */
static inline uint64_t level_size(int level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline unsigned level_index(vaddr_t va, int level)
{
	return (va >> (PAGE_SHIFT + 9 * (level - 1))) & 511;
}

/* Return the frame that `e`, an entry of `level`, refers to: a leaf's memory or a table. */
static inline paddr_t pte_paddr(pte_t e, int level)
{
	/* In a large leaf bit 12 is the PAT bit, not part of the address. */
	return (paddr_t){ e.raw & PTE_ADDRESS & (level > 1 && (e.raw & PTE_HUGE) ? ~(level_size(level) - 1) : ~0ULL) };
}

static inline enum page_prot pte_prot(pte_t e)
{
	return (enum page_prot)((e.raw & PTE_PROT) | (e.raw & PTE_NX ? 0 : PROT_X));
}

_Static_assert(PROT_W == PTE_WRITABLE && PROT_USER == PTE_USER && PROT_GLOBAL == PTE_GLOBAL &&
		       PROT_TYPE == (PTE_PWT | PTE_PCD) && !(PROT_X & PTE_PROT),
	       "rights are the entry's own bits");
_Static_assert(PROT_WC == PTE_PWT && PROT_WT == PTE_PCD, "the memory type is the PAT index");
_Static_assert(sizeof(pte_t) * 512 == PAGE_SIZE, "a table fills a frame");
