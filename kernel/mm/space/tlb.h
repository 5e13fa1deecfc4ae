/*
 * Decides what a TLB must invalidate, and when. The instructions themselves are called through struct tlb_ops, so that
 * a host test can put a model of a TLB in place of the CPU.
 *
 * Each CPU has a struct tlb. A CPU that has changed a context increments the context's generation, invalidates entries
 * of its own TLB (tlb_flush_run), and sends a message to the CPUs that have the context loaded, which do the same
 * (tlb_serve). Other CPUs are not told: each remembers to which generation its entries belong, and flushes them when it
 * next loads the context and finds another generation.
 *
 * If the CPU has PCIDs, a context has the same one on every CPU, computed from its id, and shares it with each context
 * whose id differs by a multiple of TLB_USER_PCIDS. For each PCID a CPU has a slot, which says to which context and to
 * which generation its TLB entries belong: a load of another context, or of another generation, flushes them.
 *
 * PCID 0 belongs to no context, and every load of it flushes. It is used when a CR3 value that waited in a token or a
 * trap frame is loaded again, and its PCID went to another context meanwhile; for calls of the firmware; and without
 * PCIDs for all loads.
 *
 * PML4 slot 511 is part of every context, so every CPU serves every change of it. In `shared` a CPU counts those
 * changes after which all PCIDs must be flushed, and a slot says up to which of them its PCID has been flushed.
 */
#pragma once

#include "kernel/mm/space/context.h"
#include "kernel/mm/space/tlb_offsets.h"

/*
 * How many of the CPU's 4,096 PCIDs user contexts share, and how many are used in all, with PCID 0 and the kernel
 * context's. The number is a choice: large enough that two contexts at work rarely share a PCID, and small enough for a
 * slot each on every CPU.
 */
#define TLB_USER_PCIDS 64
#define TLB_PCIDS      (TLB_USER_PCIDS + 2)

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
	uint64_t deals;        /* how often a PCID went to a context that did not have it on this CPU */
	uint64_t served;       /* changes that other CPUs made and this one was told of */
};

/* What this CPU's TLB may hold under one PCID. */
struct tlb_slot {
	/* owner of the entries, perhaps destroyed; NULL: unknown, so the next load flushes */
	const struct context *context;
	uint64_t id;         /* the context's id, which tells it from a later context at the same address */
	paddr_t root;        /* the context's root: tlb_restore() compares it with a saved CR3 */
	uint64_t generation; /* the context's generation up to which the entries are right */
	uint64_t shared;     /* up to which change the entries are right, of those that `shared` of struct tlb counts */
};

/*
 * What the kernel knows of one CPU's TLB. Guard of all fields: own CPU, interrupts off; `loaded` and `loading` are
 * atomic.
 */
struct tlb {
	struct tlb_stats stats;
	const struct tlb_ops *ops;
	struct context *kernel; /* the kernel context: has a PCID of its own; PML4 slot 511 is changed through it */
	/*
	 * Root of the context that is loaded, and of the one that is about to be: the same except in the middle of a
	 * load. Other CPUs read both to learn whether they must tell this CPU of a change. During a call of the
	 * firmware both stay as they are.
	 */
	uint64_t loaded, loading;
	bool pcids;      /* CR4.PCIDE is set */
	bool recorded;   /* every load goes through tlb_load() and tlb_restore(): with PCIDs, and with several CPUs */
	uint64_t shared; /* changes of slot 511 so far after which every PCID has to be flushed */
	struct tlb_slot slots[TLB_PCIDS];
};

_Static_assert(offsetof(struct tlb, stats.cr3_writes) == TLB_CR3_WRITES, "the entry code");

/* A change of a context, as one CPU sends it to others. */
struct tlb_message {
	const struct context *context;
	uint64_t generation; /* the context's generation after the change; of no meaning for a change of slot 511 */
	const struct tlb_flush *flush;
};

/*
 * Use PCIDs from now on. Call right after setting CR4.PCIDE, while the kernel context is loaded with PCID 0.
 */
void tlb_start_pcids(struct tlb *t);

/* Load `c`. Does nothing when it is loaded already. Call with interrupts off. */
void tlb_load(struct tlb *t, const struct context *c);

/*
 * Load the context of `cr3`, a value read from CR3 on this CPU some time ago. That context must not have been destroyed
 * since. Does nothing when it is loaded already. Call with interrupts off.
 */
void tlb_restore(struct tlb *t, uint64_t cr3);

/*
 * Invalidate this CPU's TLB entries that `flush` names; the function that changed the space of `c` has recorded them.
 * One flush must not mix leaves of PML4 slot 511 that were global with others that were not. Call with interrupts off,
 * after the page tables have changed. Returns the message that each CPU has to serve for which tlb_concerns() is true.
 * Once all of them have served it, the tables that `flush` carries and the frames that the change unmapped can be given
 * back.
 */
struct tlb_message tlb_flush_run(struct tlb *t, struct context *c, const struct tlb_flush *flush);

/*
 * Return whether the CPU of `t` must serve the message. Called on the CPU that sends it. If it returns false, a later
 * load of the context on the other CPU sees the new generation, so no message is needed.
 */
bool tlb_concerns(const struct tlb *t, const struct tlb_message *message);

/*
 * Invalidate this CPU's entries that a change made by another CPU concerns. Call with interrupts off, not from an NMI.
 */
void tlb_serve(struct tlb *t, const struct tlb_message *message);

#ifdef HOST_TEST
/*
 * Called between two accesses to data that CPUs share, unless it is NULL: a test lets its other simulated CPUs run
 * there.
 */
extern void (*tlb_host_step)(void);
#endif
