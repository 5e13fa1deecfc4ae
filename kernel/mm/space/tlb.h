/*
 * What must be invalidated, and when: the decisions, apart from the instructions, so that a host test can put a model
 * of a TLB in place of the CPU.
 *
 * PCIDs, where the CPU has them, are dealt out in a circle, to each context that is loaded and holds none. A context's
 * `tag` is the number of the deal, which never repeats; tag modulo TLB_PCIDS is the PCID. The context holds that PCID
 * as long as no later deal went to the same place. A PCID that changes hands, and one whose context was changed while
 * another was loaded, owes a flush: its next load flushes. Until then no entry with that PCID can be used.
 *
 * PCID 0 belongs to no context, and every load of it flushes. It serves a context that lost its PCID while a CR3 value
 * with that PCID waited in a token or a trap frame, and calls of the firmware; without PCIDs it serves all.
 */
#pragma once

#include "kernel/mm/space/context.h"

/* More than the number of contexts that a TLB can hold entries of, and few enough to visit all. */
#define TLB_PCIDS 64

/* The most pages to invalidate one by one; for more, flushing everything is cheaper. */
#define TLB_PAGES_MAX 32

/* The instructions, as functions that a host test can replace. */
struct tlb_ops {
	uint64_t (*read_cr3)(void);
	void (*write_cr3)(uint64_t cr3); /* with CR3_NOFLUSH or without */
	void (*flush_page)(vaddr_t va);  /* INVLPG */
	/* INVPCID for one address; NULL when the CPU has no INVPCID */
	void (*flush_page_of)(unsigned pcid, vaddr_t va);
	void (*flush_all)(void); /* every entry of every PCID, global ones too */
};

struct tlb_stats {
	uint64_t cr3_writes;   /* all writes of CR3 except those of the firmware call */
	uint64_t cr3_flushes;  /* those of cr3_writes that flushed */
	uint64_t pages;        /* pages invalidated by INVLPG */
	uint64_t pages_of;     /* pages invalidated by INVPCID */
	uint64_t full_flushes; /* flushes of everything, global entries too */
	uint64_t deferred;     /* flushes left to the next load of a PCID */
	uint64_t deals;        /* how often a PCID was given to a context */
};

/* What is known of a PCID. */
struct tlb_slot {
	uint64_t tag; /* tag of the context that holds the PCID; 0: none */
	paddr_t root; /* root of that context, to recognise a CR3 that was kept by value */
	bool owes;    /* the next load of this PCID must flush */
};

/* The books of one CPU's TLB. Guard of all fields: own CPU, interrupts off. */
struct tlb {
	const struct tlb_ops *ops;
	struct context *kernel; /* holds its PCID for ever; slot 511 is changed through it */
	bool pcids;             /* CR4.PCIDE is set */
	uint64_t last_tag;      /* number of the latest deal */
	struct tlb_slot slots[TLB_PCIDS];
	struct tlb_stats stats;
};

/*
 * Deal PCIDs from now on, the first to the kernel context. CR4.PCIDE has just been set; PCID 0 and the kernel context
 * are loaded.
 */
void tlb_start_pcids(struct tlb *t);

/* Load `c`; no effect when it is loaded. Must not be interrupted by anything that changes mappings. */
void tlb_load(struct tlb *t, struct context *c);

/*
 * Load the context of `cr3`, a value read from CR3 on this CPU some time ago; no effect when it is loaded. Must not be
 * interrupted by anything that changes mappings.
 */
void tlb_restore(struct tlb *t, uint64_t cr3);

/*
 * Invalidate what `flush`, from changing the space of `c`, says. When `global` is set in a flush, all its leaves of
 * slot 511 are global. The flush's tables can be given back afterwards.
 */
void tlb_flush_run(struct tlb *t, const struct context *c, const struct tlb_flush *flush);

/*
 * Forget `c`, which is not loaded and goes away: no other context may get its entries, not even one whose root takes
 * the same frame.
 */
void tlb_forget(struct tlb *t, const struct context *c);
