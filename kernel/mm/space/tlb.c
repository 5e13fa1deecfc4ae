/*
 * Decides what to invalidate (Intel SDM vol. 3A, "Invalidation of TLBs and Paging-Structure Caches") and remembers
 * which context's entries a PCID has. Runs no privileged instruction itself, reads no page table, gives no frame back,
 * sends no interrupt.
 */
#include "kernel/mm/space/tlb.h"

#include "paging/layout.h"

#define NO_PCID     0 /* the PCID of no context: each load of it flushes */
#define KERNEL_PCID 1
#define FIRST_PCID  2 /* the first PCID that user contexts get */

/*
 * OTHERS_MAY_RUN() marks a point between two accesses to data that CPUs share. A host test lets its other simulated
 * CPUs run there, by the function tlb_host_step(). Guard of that pointer: the test has one thread.
 */
#ifdef HOST_TEST
void (*tlb_host_step)(void);
#define OTHERS_MAY_RUN()                 \
	do {                             \
		if (tlb_host_step)       \
			tlb_host_step(); \
	} while (0)
#else
#define OTHERS_MAY_RUN() ((void)0)
#endif

static bool same_root(uint64_t cr3, paddr_t root)
{
	return (cr3 & PTE_ADDRESS) == root.raw;
}

static unsigned pcid_in(const struct tlb *t, uint64_t cr3)
{
	return t->pcids ? cr3 & CR3_PCID : NO_PCID;
}

/* Return the PCID that `c` has on every CPU, perhaps together with other contexts. */
static unsigned pcid_of(const struct tlb *t, const struct context *c)
{
	if (!t->pcids)
		return NO_PCID;
	return c == t->kernel ? KERNEL_PCID : FIRST_PCID + c->id % TLB_USER_PCIDS;
}

/* Return whether the TLB entries that this CPU has under the slot's PCID, if any, belong to `c`. */
static bool has(const struct tlb_slot *slot, const struct context *c)
{
	return slot->context == c && slot->id == c->id;
}

static uint64_t generation_of(const struct context *c)
{
	return __atomic_load_n(&c->generation, __ATOMIC_SEQ_CST);
}

static void write_cr3(struct tlb *t, uint64_t cr3)
{
	t->ops->write_cr3(cr3);
	t->stats.cr3_writes++;
	t->stats.cr3_flushes += !(cr3 & CR3_NOFLUSH);
}

/*
 * Return whether the CPU is in the middle of a load, which only an NMI, or code that it runs, can see. Such code must
 * not change what the interrupted load relies on, so it only writes CR3 (load_in_load()).
 */
static bool in_load(const struct tlb *t)
{
	return t->loading != t->loaded;
}

/*
 * Load what an NMI's code asks for in the middle of a load. A context that this code enters is loaded with PCID 0,
 * which every load flushes. Another PCID in `cr3` is the one that the NMI found loaded: its entries are still right,
 * since a CPU that changes their context waits until this CPU has served its message, after the load.
 */
static void load_in_load(struct tlb *t, uint64_t cr3)
{
	write_cr3(t, cr3 | (pcid_in(t, cr3) == NO_PCID ? 0 : CR3_NOFLUSH));
}

/*
 * Begin a load: announce the context that is about to be loaded. The store is complete before this CPU reads the
 * context's generation. So either a CPU that changes the context sees that it must tell this CPU, or this CPU sees the
 * new generation.
 */
static void begin_load(struct tlb *t, paddr_t root)
{
	__atomic_store_n(&t->loading, root.raw, __ATOMIC_SEQ_CST);
	OTHERS_MAY_RUN();
}

/* End a load: CR3 is written, so the context before it needs no messages any more. */
static void end_load(struct tlb *t, paddr_t root)
{
	OTHERS_MAY_RUN();
	__atomic_store_n(&t->loaded, root.raw, __ATOMIC_RELEASE);
}

/* Load a root with PCID 0, whose entries every load flushes. */
static void load_without_pcid(struct tlb *t, paddr_t root)
{
	begin_load(t, root);
	write_cr3(t, root.raw | NO_PCID);
	end_load(t, root);
}

static void load(struct tlb *t, const struct context *c, unsigned pcid)
{
	struct tlb_slot *slot = &t->slots[pcid];
	uint64_t generation;

	if (pcid == NO_PCID) {
		load_without_pcid(t, c->space.root);
		return;
	}
	begin_load(t, c->space.root);
	generation = generation_of(c);
	OTHERS_MAY_RUN();
	if (has(slot, c) && slot->generation == generation && slot->shared == t->shared) {
		write_cr3(t, c->space.root.raw | pcid | CR3_NOFLUSH);
	} else {
		t->stats.deals += !has(slot, c);
		write_cr3(t, c->space.root.raw | pcid);
		*slot = (struct tlb_slot){
			.context = c,
			.id = c->id,
			.root = c->space.root,
			.generation = generation,
			.shared = t->shared,
		};
	}
	end_load(t, c->space.root);
}

void tlb_start_pcids(struct tlb *t)
{
	t->pcids = true;
	load(t, t->kernel, KERNEL_PCID);
}

void tlb_load(struct tlb *t, const struct context *c)
{
	if (same_root(t->ops->read_cr3(), c->space.root))
		return;
	if (in_load(t))
		load_in_load(t, c->space.root.raw | NO_PCID);
	else
		load(t, c, pcid_of(t, c));
}

void tlb_restore(struct tlb *t, uint64_t cr3)
{
	paddr_t root = paddr(cr3 & PTE_ADDRESS);
	unsigned pcid = pcid_in(t, cr3);
	const struct tlb_slot *slot = &t->slots[pcid];

	if (same_root(t->ops->read_cr3(), root))
		return;
	ASSERT(pcid < TLB_PCIDS);
	if (in_load(t)) {
		load_in_load(t, cr3);
		return;
	}
	/*
	 * If the slot of this PCID has the root of `cr3`, the slot's context is the one of `cr3`, which still exists.
	 * Otherwise the PCID has gone to another context meanwhile: load the root with PCID 0, which neither uses nor
	 * flushes that context's entries.
	 */
	if (slot->context && slot->root.raw == root.raw)
		load(t, slot->context, pcid);
	else
		load_without_pcid(t, root);
}

/* Flush every entry of every PCID, global ones too. */
static void flush_everything(struct tlb *t)
{
	t->ops->flush_all();
	t->stats.full_flushes++;
	for (unsigned pcid = 0; pcid < TLB_PCIDS; pcid++)
		t->slots[pcid].shared = t->shared;
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
 * Return whether the change concerns PML4 slot 511, which is in every context. A table that the kernel context drops
 * counts as one of slot 511, too, since the flush does not say which slot it was in.
 */
static bool is_shared(const struct tlb *t, const struct tlb_message *m)
{
	return m->flush->global || (m->context == t->kernel && (m->flush->tables.raw || m->flush->last >= HEAP_BASE));
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
 * Serve a change of slot 511. A global leaf has one TLB entry for all PCIDs, which INVLPG removes. Cached tables, and
 * leaves that were not global, are kept for each PCID: when one of those has changed, all PCIDs must be flushed, the
 * loaded one now, and each other one when it is next loaded.
 */
static void serve_shared(struct tlb *t, const struct tlb_flush *flush, size_t pages)
{
	struct tlb_slot *loaded = &t->slots[pcid_in(t, t->ops->read_cr3())];

	if (flush->tables.raw || !flush->global) {
		/*
		 * flush_now() flushes the loaded PCID for this change: count that in its slot, unless it still lacks an
		 * earlier flush.
		 */
		loaded->shared += loaded->shared == t->shared;
		t->shared++;
	}
	flush_now(t, flush, pages);
}

/*
 * Record that the slot's entries are right as of the message's generation, since the entries that this change made
 * wrong are gone. Do nothing if they were not right as of the generation before: messages of earlier changes may still
 * be on their way.
 */
static void advance(struct tlb_slot *slot, const struct tlb_message *m)
{
	if (has(slot, m->context) && slot->generation + 1 == m->generation)
		slot->generation = m->generation;
}

/* Serve a change of a context if the context is loaded. Returns whether this CPU need do no more for the change. */
static bool serve_loaded(struct tlb *t, const struct tlb_message *m, size_t pages)
{
	const uint64_t cr3 = t->ops->read_cr3();
	const unsigned pcid = pcid_in(t, cr3);

	if (!same_root(cr3, m->context->space.root))
		return false;
	flush_now(t, m->flush, pages);
	/* Even if the context is loaded with PCID 0, there may be entries under its own PCID. */
	if (pcid != pcid_of(t, m->context))
		return false;
	if (pcid != NO_PCID)
		advance(&t->slots[pcid], m);
	return true;
}

/*
 * Invalidate, on the CPU that made the change, the pages of a context that is not loaded. When they are many, when
 * tables were dropped, or when the CPU has no INVPCID, nothing is done: the next load finds another generation, and
 * flushes.
 */
static void flush_other(struct tlb *t, const struct tlb_message *m, size_t pages)
{
	const unsigned pcid = pcid_of(t, m->context);
	struct tlb_slot *slot = &t->slots[pcid];

	/*
	 * Nothing is needed if the context has no PCID or no entries, or if the next load flushes them all anyway, for
	 * an earlier change.
	 */
	if (pcid == NO_PCID || !has(slot, m->context) || slot->generation + 1 != m->generation ||
	    slot->shared != t->shared)
		return;
	if (!pages || m->flush->tables.raw || !t->ops->flush_page_of) {
		t->stats.deferred++;
		return;
	}
	for (size_t i = 0; i < pages; i++)
		t->ops->flush_page_of(pcid, m->flush->start + i * PAGE_SIZE);
	t->stats.pages_of += pages;
	advance(slot, m);
}

/*
 * munmap -> flush -> invalidation, step 6 of 6: the loaded context is invalidated now, by INVLPG or a CR3 write; a
 * context that is not loaded is invalidated by INVPCID now, or by a flush at its next load.
 */
struct tlb_message tlb_flush_run(struct tlb *t, struct context *c, const struct tlb_flush *flush)
{
	struct tlb_message m = { .context = c, .flush = flush };
	const size_t pages = few_pages(flush);

	if (!flush->leaves && !flush->tables.raw)
		return m;
	if (is_shared(t, &m)) {
		serve_shared(t, flush, pages);
		return m;
	}
	m.generation = __atomic_add_fetch(&c->generation, 1, __ATOMIC_SEQ_CST);
	OTHERS_MAY_RUN();
	if (!serve_loaded(t, &m, pages))
		flush_other(t, &m, pages);
	return m;
}

bool tlb_concerns(const struct tlb *t, const struct tlb_message *message)
{
	const struct tlb_flush *flush = message->flush;
	const uint64_t root = message->context->space.root.raw;

	if (!flush->leaves && !flush->tables.raw)
		return false;
	if (is_shared(t, message))
		return true;
	/*
	 * Read `loading` before `loaded`: a load that ends between the two reads was seen in `loading`, and one that
	 * begins there sees the context's new generation.
	 */
	if (__atomic_load_n(&t->loading, __ATOMIC_SEQ_CST) == root)
		return true;
	OTHERS_MAY_RUN();
	return __atomic_load_n(&t->loaded, __ATOMIC_SEQ_CST) == root;
}

void tlb_serve(struct tlb *t, const struct tlb_message *message)
{
	const size_t pages = few_pages(message->flush);

	t->stats.served++;
	if (is_shared(t, message))
		serve_shared(t, message->flush, pages);
	else
		(void)serve_loaded(t, message, pages);
}
