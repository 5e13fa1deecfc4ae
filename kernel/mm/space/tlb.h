/*
 * Decides what a TLB must invalidate, and when. The instructions themselves are called through struct tlb_ops, so that
 * a host test can put a model of a TLB in place of the CPU.
 *
 * PCIDs, where the CPU has them, are given to contexts in turn: a context that is loaded without one gets the next (a
 * deal). A context's `tag` is the number of its deal, which never repeats; tag modulo TLB_PCIDS is the PCID. The
 * context holds that PCID until a later deal gives it to another. A PCID owes a flush when it has gone to another
 * context, or when its context was changed while another was loaded: the next load of the PCID flushes. Until then no
 * entry with that PCID is used.
 *
 * PCID 0 belongs to no context, and every load of it flushes. It is used for a context that lost its PCID while a CR3
 * value with that PCID waited in a token or a trap frame, and for calls of the firmware; without PCIDs, for all loads.
 */
#pragma once

#include "kernel/mm/space/context.h"

/*
 * How many of the CPU's 4,096 PCIDs are used, PCID 0 included. The number is a choice: large enough that a context
 * mostly still has its PCID when it is loaded again, and small enough that tlb.c may go through all slots to mark them.
 */
#define TLB_PCIDS 64

/*
 * The most pages that one flush invalidates one by one. For more it is cheaper to flush all entries of the PCID or, if
 * global leaves changed, of all PCIDs.
 */
#define TLB_PAGES_MAX 32

/* The instructions, as functions that a host test can replace. */
struct tlb_ops {
	uint64_t (*read_cr3)(void);
	void (*write_cr3)(uint64_t cr3); /* `cr3` may have CR3_NOFLUSH set */
	void (*flush_page)(vaddr_t va);  /* INVLPG */
	/* INVPCID for one address; NULL when the CPU has no INVPCID */
	void (*flush_page_of)(unsigned pcid, vaddr_t va);
	void (*flush_all)(void); /* every entry of every PCID, global ones too */
};

struct tlb_stats {
	uint64_t cr3_writes;   /* all writes of CR3 except those of the firmware call */
	uint64_t cr3_flushes;  /* how many of cr3_writes flushed the PCID that they loaded */
	uint64_t pages;        /* pages invalidated by INVLPG */
	uint64_t pages_of;     /* pages invalidated by INVPCID */
	uint64_t full_flushes; /* flushes of everything, global entries too */
	uint64_t deferred;     /* flushes left to the next load of a PCID */
	uint64_t deals;        /* how often a PCID was given to a context */
};

/* What is known of a PCID. */
struct tlb_slot {
	uint64_t tag; /* tag of the context that holds the PCID; 0: none */
	paddr_t root; /* root of that context: tlb_restore() compares it with a saved CR3 */
	bool owes;    /* the next load of this PCID must flush */
};

/* What the kernel knows of one CPU's TLB. Guard of all fields: own CPU, interrupts off. */
struct tlb {
	const struct tlb_ops *ops;
	struct context *kernel; /* the kernel context: never loses its PCID; PML4 slot 511 is changed through it */
	bool pcids;             /* CR4.PCIDE is set */
	uint64_t last_tag;      /* number of the latest deal */
	struct tlb_slot slots[TLB_PCIDS];
	struct tlb_stats stats;
};

/*
 * Deal PCIDs from now on, the first to the kernel context. Call right after setting CR4.PCIDE, while the kernel context
 * is loaded with PCID 0.
 */
void tlb_start_pcids(struct tlb *t);

/* Load `c`. Does nothing when it is loaded already. Call with interrupts off. */
void tlb_load(struct tlb *t, struct context *c);

/*
 * Load the context of `cr3`, a value read from CR3 on this CPU some time ago. Does nothing when it is loaded already.
 * Call with interrupts off.
 */
void tlb_restore(struct tlb *t, uint64_t cr3);

/*
 * Invalidate the TLB entries that `flush` names; the change of the space of `c` has put them there. One flush must not
 * mix leaves of PML4 slot 511 that were global with others that were not. Afterwards the tables that `flush` carries
 * can be given back.
 */
void tlb_flush_run(struct tlb *t, const struct context *c, const struct tlb_flush *flush);

/*
 * Forget `c`, which must not be loaded and is about to be destroyed: no other context can use its TLB entries then, not
 * even one whose root gets the same frame.
 */
void tlb_forget(struct tlb *t, const struct context *c);
