/*
 * Decides what to invalidate (Intel SDM vol. 3A, "Invalidation of TLBs and Paging-Structure Caches") and remembers
 * which context has which PCID. Runs no privileged instruction itself, reads no page table, gives no frame back.
 */
#include "kernel/mm/space/tlb.h"

#include "paging/layout.h"

#define NO_PCID     0 /* the PCID of no context: each load of it flushes */
#define KERNEL_PCID 1

static bool same_root(uint64_t cr3, paddr_t root)
{
	return (cr3 & PTE_ADDRESS) == root.raw;
}

static unsigned pcid_of(const struct tlb *t, uint64_t cr3)
{
	return t->pcids ? cr3 & CR3_PCID : NO_PCID;
}

/* Return the PCID that `c` holds, or NO_PCID. */
static unsigned held_pcid(const struct tlb *t, const struct context *c)
{
	unsigned pcid = c->tag % TLB_PCIDS;

	return c->tag && t->slots[pcid].tag == c->tag ? pcid : NO_PCID;
}

static void write_cr3(struct tlb *t, uint64_t cr3)
{
	t->ops->write_cr3(cr3);
	t->stats.cr3_writes++;
	t->stats.cr3_flushes += !(cr3 & CR3_NOFLUSH);
}

static void load_pcid(struct tlb *t, paddr_t root, unsigned pcid)
{
	bool keep = pcid != NO_PCID && !t->slots[pcid].owes;

	write_cr3(t, root.raw | pcid | (keep ? CR3_NOFLUSH : 0));
	/* Cleared only after CR3 is loaded: an NMI that loads the same PCID before that must still flush. */
	t->slots[pcid].owes = false;
}

/* Give the next PCID in turn to `c`, even if another context has it. */
static unsigned deal(struct tlb *t, struct context *c)
{
	unsigned pcid;

	do
		pcid = ++t->last_tag % TLB_PCIDS;
	while (pcid == NO_PCID || pcid == KERNEL_PCID);
	c->tag = t->last_tag;
	t->slots[pcid] = (struct tlb_slot){ .tag = c->tag, .root = c->space.root, .owes = true };
	t->stats.deals++;
	return pcid;
}

void tlb_start_pcids(struct tlb *t)
{
	t->pcids = true;
	t->last_tag = KERNEL_PCID;
	t->kernel->tag = t->last_tag;
	t->slots[KERNEL_PCID] = (struct tlb_slot){ .tag = t->last_tag, .root = t->kernel->space.root, .owes = true };
	load_pcid(t, t->kernel->space.root, KERNEL_PCID);
}

void tlb_load(struct tlb *t, struct context *c)
{
	unsigned pcid = NO_PCID;

	if (same_root(t->ops->read_cr3(), c->space.root))
		return;
	if (t->pcids) {
		pcid = held_pcid(t, c);
		if (pcid == NO_PCID)
			pcid = deal(t, c);
	}
	load_pcid(t, c->space.root, pcid);
}

void tlb_restore(struct tlb *t, uint64_t cr3)
{
	paddr_t root = paddr(cr3 & PTE_ADDRESS);
	unsigned pcid = pcid_of(t, cr3);

	if (same_root(t->ops->read_cr3(), root))
		return;
	ASSERT(pcid < TLB_PCIDS);
	/*
	 * The PCID may have been dealt to another context meanwhile: load PCID 0, which neither uses nor flushes that
	 * context's entries.
	 */
	if (t->slots[pcid].root.raw != root.raw)
		pcid = NO_PCID;
	load_pcid(t, root, pcid);
}

static void owe(struct tlb *t, unsigned pcid)
{
	if (pcid == NO_PCID || !t->slots[pcid].tag || t->slots[pcid].owes)
		return;
	t->slots[pcid].owes = true;
	t->stats.deferred++;
}

/* Flush every entry of every PCID, global ones too. No PCID owes a flush afterwards. */
static void flush_everything(struct tlb *t)
{
	t->ops->flush_all();
	t->stats.full_flushes++;
	for (unsigned pcid = 0; pcid < TLB_PCIDS; pcid++)
		t->slots[pcid].owes = false;
}

/* Return how many pages the flush spans; 0 when they are too many to flush one by one, or when it has no leaf. */
static size_t few_pages(const struct tlb_flush *flush)
{
	uint64_t pages;

	/* A flush may carry dropped tables and no leaf: then its range means nothing. */
	if (!flush->leaves)
		return 0;
	pages = (flush->last - flush->start) / PAGE_SIZE + 1;
	return pages <= TLB_PAGES_MAX ? pages : 0;
}

/*
 * Do the part of a flush that cannot wait: entries that the CPU could use in the context that is loaded. INVLPG also
 * removes the page's global entry, which serves every PCID, and all cached tables of the loaded PCID; a CR3 write
 * removes all entries of the loaded PCID but global ones.
 */
static void flush_now(struct tlb *t, const struct tlb_flush *flush, size_t pages)
{
	if (pages) {
		for (size_t i = 0; i < pages; i++)
			t->ops->flush_page(flush->start + i * PAGE_SIZE);
		t->stats.pages += pages;
	} else if (flush->global) {
		flush_everything(t);
	} else {
		write_cr3(t, t->ops->read_cr3());
	}
}

/*
 * Do the part of a flush that is about a PCID which is not loaded. When tables were dropped, that PCID's next load
 * flushes it whole, the surest way to get rid of cached tables.
 */
static void flush_other(struct tlb *t, unsigned pcid, const struct tlb_flush *flush, size_t pages)
{
	if (!pages || flush->tables.raw || !t->ops->flush_page_of || t->slots[pcid].owes) {
		owe(t, pcid);
		return;
	}
	for (size_t i = 0; i < pages; i++)
		t->ops->flush_page_of(pcid, flush->start + i * PAGE_SIZE);
	t->stats.pages_of += pages;
}

/*
 * munmap -> flush -> invalidation, step 6 of 6: the loaded context is invalidated now, by INVLPG or a CR3 write; a
 * context that is not loaded is invalidated by INVPCID now, or by a flush at its next load.
 */
void tlb_flush_run(struct tlb *t, const struct context *c, const struct tlb_flush *flush)
{
	const uint64_t cr3 = t->ops->read_cr3();
	const unsigned loaded = pcid_of(t, cr3), held = held_pcid(t, c);
	const size_t pages = few_pages(flush);
	/*
	 * A change of PML4 slot 511 concerns every context. A global leaf has one TLB entry for all PCIDs, but cached
	 * tables, and leaves that were not global, are kept for each PCID: then all PCIDs must be flushed.
	 */
	const bool everywhere = c == t->kernel && (flush->tables.raw || (flush->last >= HEAP_BASE && !flush->global));

	if (!flush->leaves && !flush->tables.raw)
		return;
	if (everywhere || flush->global || same_root(cr3, c->space.root))
		flush_now(t, flush, pages);
	if (!t->pcids || (flush->global && !pages))
		return;
	if (everywhere) {
		for (unsigned pcid = 0; pcid < TLB_PCIDS; pcid++)
			if (pcid != loaded)
				owe(t, pcid);
	} else if (held != NO_PCID && held != loaded) {
		flush_other(t, held, flush, pages);
	}
}

void tlb_forget(struct tlb *t, const struct context *c)
{
	unsigned pcid = held_pcid(t, c);

	ASSERT(!same_root(t->ops->read_cr3(), c->space.root));
	/* A context without a PCID has NO_PCID here, whose slot is always empty: clearing it changes nothing. */
	t->slots[pcid] = (struct tlb_slot){ .tag = 0 };
}
