/*
 * A TLB that caches all that the manual allows and forgets nothing until it is told to (Intel SDM vol. 3A, "Caching
 * Translation Information"): leaves and references to tables, by PCID; global leaves for all PCIDs. Like a CPU at
 * its worst, it uses whatever it has: an access finds every answer that some CPU could give.
 */
#pragma once

#include "kernel/mm/space/tlb.h"
#include "test/host/paging_arena.h"

/* What is broken on purpose, to see that it is found. */
enum tlb_fault {
	TLB_FAULT_NONE,
	TLB_FAULT_PAGE,      /* INVLPG does nothing */
	TLB_FAULT_PAGE_OF,   /* INVPCID of one address does nothing */
	TLB_FAULT_ALL,       /* the flush of everything does nothing */
	TLB_FAULT_NOFLUSH,   /* no CR3 write flushes */
	TLB_FAULT_SPARE_PSC, /* CR3 writes leave references to tables behind */
};

#define TLB_MODEL_ENTRIES 512 /* for each PCID */

struct tlb_entry {
	uint64_t va;     /* first byte */
	uint64_t size;   /* bytes that it spans */
	uint64_t target; /* a leaf: the entry as the walk found it; else the physical address of the table */
	int level;       /* a leaf: that of the leaf; else the level of the table's entries */
	bool leaf;
};

struct tlb_entries {
	size_t count;
	struct tlb_entry list[TLB_MODEL_ENTRIES];
};

struct tlb_model {
	const struct arena *arena;
	uint64_t cr3;
	bool pcids;
	enum tlb_fault fault;
	struct tlb_entries of[TLB_PCIDS];
	struct tlb_entries global;
	uint64_t accesses;
	uint64_t hits;        /* answers that an entry gave, not a walk */
	uint64_t freed_walks; /* walks, speculative ones too, that read a table which had been given back */
};

/* The one that the operations below work on: that of the CPU that runs. */
extern struct tlb_model *tlb_model;

/* To be given to a struct tlb: without INVPCID, and with. */
extern const struct tlb_ops tlb_model_ops, tlb_model_invpcid_ops;

/* Make `model` the one to work on: empty, with `root` loaded and PCIDs off. */
void tlb_model_init(struct tlb_model *model, const struct arena *arena, uint64_t root);

/* Let the CPU touch `va`, perhaps in advance of the program: it may cache all that it finds on the way. */
void tlb_model_touch(uint64_t va);

/*
 * Whether every answer to an access of `va` that could come now is the one that the tables give. On false
 * *ret is the entry that gives another. Then touches it.
 */
bool tlb_model_access(uint64_t va, struct tlb_entry *ret);
