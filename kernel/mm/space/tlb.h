/*
 * What must be invalidated, and when: the decisions, apart from the instructions, so that a host test
 * can put a model of a TLB in place of the CPU.
 *
 * PCIDs, where there are any, are dealt out in a circle, one for each context that is loaded and has none. A
 * context's `tag` is the number of the deal, which never repeats; tag modulo TLB_PCIDS is the PCID. The context
 * holds that PCID as long as no later deal went to the same place. A PCID that changes hands, and one whose context
 * was changed while another was loaded, owes a flush: its next load is one that flushes. Until then no entry with
 * that PCID can be used.
 *
 * PCID 0 is nobody's, and every load of it flushes. It serves a context that lost its PCID while a CR3 value with
 * that PCID waited in a token or a trap frame, and calls of the firmware; without PCIDs there is no other.
 */
#pragma once

#include "kernel/mm/space/context.h"

/* More than the contexts that a TLB remembers anything of, and few enough to be visited all. */
#define TLB_PCIDS 64

/* Pages that are invalidated one by one; for more, all at once is cheaper. */
#define TLB_PAGES_MAX 32

/* The instructions. */
struct tlb_ops {
	uint64_t (*read_cr3)(void);
	void (*write_cr3)(uint64_t cr3);                  /* with CR3_NOFLUSH or without */
	void (*flush_page)(vaddr_t va);                   /* INVLPG */
	void (*flush_page_of)(unsigned pcid, vaddr_t va); /* INVPCID, one address; NULL when the CPU has no INVPCID */
	void (*flush_all)(void);                          /* every entry of every PCID, global ones too */
};

struct tlb_stats {
	uint64_t cr3_writes;   /* all of them, but for those of the firmware call */
	uint64_t cr3_flushes;  /* of them, those that flushed */
	uint64_t pages;        /* pages invalidated by INVLPG */
	uint64_t pages_of;     /* pages invalidated by INVPCID */
	uint64_t full_flushes; /* of everything, global entries too */
	uint64_t deferred;     /* flushes left to the next load of a PCID */
	uint64_t deals;        /* PCIDs given to a context */
};

/* Who holds a PCID. */
struct tlb_slot {
	uint64_t tag; /* of the context that holds it; 0: nobody */
	paddr_t root; /* of that context, for a CR3 that was kept by value */
	bool owes;    /* its next load must flush */
};

/* One CPU's. */
struct tlb {
	const struct tlb_ops *ops;
	struct context *kernel; /* keeps its PCID for ever; slot 511 is changed through it */
	bool pcids;             /* CR4.PCIDE is set */
	uint64_t last_tag;      /* of the latest deal */
	struct tlb_slot slots[TLB_PCIDS];
	struct tlb_stats stats;
};

/* CR4.PCIDE has just been set, PCID 0 and the kernel context are loaded: deal PCIDs from now on, the first to it. */
void tlb_start_pcids(struct tlb *t);

/* Load `c`. No effect when it is loaded. Not to be interrupted by anything that changes mappings. */
void tlb_load(struct tlb *t, struct context *c);

/* Load the context of `cr3`, a value read from CR3 on this CPU some time ago, unless it is loaded. The same duty. */
void tlb_restore(struct tlb *t, uint64_t cr3);

/*
 * Invalidate what `flush`, from changing the space of `c`, says. In a flush with `global` set, leaves of slot 511
 * are all global. The flush's tables can be given back afterwards.
 */
void tlb_flush_run(struct tlb *t, const struct context *c, const struct tlb_flush *flush);

/*
 * `c`, which is not loaded, goes away: nobody may get its entries, not even a context whose root takes the same
 * frame.
 */
void tlb_forget(struct tlb *t, const struct context *c);
