/*
 * The TLB of tlb_model.h. Walks tables by itself, as the manual says, without a line of paging/.
 */
#include "test/host/tlb_model.h"

#include <stdlib.h>
#include <string.h>

#define PRESENT 1ULL
#define PS      (1ULL << 7)
#define GLOBAL  (1ULL << 8)
#define FRAME   0x000ffffffffff000ULL
#define NOFLUSH (1ULL << 63)

struct tlb_model *tlb_model;

static uint64_t span(int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static struct tlb_entries *current(void)
{
	return &tlb_model->of[tlb_model->pcids ? tlb_model->cr3 & 0xfff : 0];
}

/* ---- walking ---- */

struct answer {
	bool there;
	int level;
	uint64_t entry;
};

static bool same_answer(struct answer a, struct answer b)
{
	return a.there == b.there && (!a.there || (a.level == b.level && a.entry == b.entry));
}

static bool handed_out(uint64_t pa)
{
	uint64_t frame = (pa - ARENA_BASE) / 4096;

	return pa >= ARENA_BASE && frame < ARENA_FRAMES && tlb_model->arena->taken[frame];
}

static void add(struct tlb_entries *to, struct tlb_entry e)
{
	for (size_t i = 0; i < to->count; i++)
		if (to->list[i].va == e.va && to->list[i].level == e.level && to->list[i].leaf == e.leaf &&
		    to->list[i].target == e.target)
			return;
	if (to->count == TLB_MODEL_ENTRIES)
		abort();
	to->list[to->count++] = e;
}

/* The walk for `va` from the table at `pa`, with entries of `level`, down. `cache`: remember what was met. */
static struct answer walk(uint64_t pa, int level, uint64_t va, bool cache)
{
	for (;; level--) {
		uint64_t start = va & ~(span(level) - 1), e;

		/* A table that was given back: whatever comes now is wrong. */
		if (!handed_out(pa)) {
			tlb_model->freed_walks++;
			return (struct answer){ true, level, ~0ULL };
		}
		e = arena_table(tlb_model->arena, pa)[va >> (12 + 9 * (level - 1)) & 511];
		if (!(e & PRESENT))
			return (struct answer){ .there = false };
		if (level == 1 || (e & PS)) {
			if (cache)
				add(e & GLOBAL ? &tlb_model->global : current(),
				    (struct tlb_entry){ start, span(level), e, level, true });
			return (struct answer){ true, level, e };
		}
		pa = e & FRAME;
		if (cache)
			add(current(), (struct tlb_entry){ start, span(level), pa, level - 1, false });
	}
}

/* What an entry of the cache makes of `va`: a leaf at once, a table after the rest of the walk. */
static struct answer answer_of(const struct tlb_entry *e, uint64_t va, bool cache)
{
	if (e->leaf)
		return (struct answer){ true, e->level, e->target };
	return walk(e->target, e->level, va, cache);
}

static bool covers(const struct tlb_entry *e, uint64_t va)
{
	return va - e->va < e->size;
}

static bool check(const struct tlb_entries *entries, uint64_t va, struct answer right, struct tlb_entry *ret)
{
	for (size_t i = 0; i < entries->count; i++) {
		if (!covers(&entries->list[i], va))
			continue;
		tlb_model->hits++;
		if (!same_answer(answer_of(&entries->list[i], va, false), right)) {
			*ret = entries->list[i];
			return false;
		}
	}
	return true;
}

void tlb_model_touch(uint64_t va)
{
	/* The list grows while tables in it are followed: what is added needs no second look. */
	const struct tlb_entries *mine = current();

	for (size_t i = 0, count = mine->count; i < count; i++)
		if (!mine->list[i].leaf && covers(&mine->list[i], va))
			answer_of(&mine->list[i], va, true);
	walk(tlb_model->cr3 & FRAME, 4, va, true);
}

bool tlb_model_access(uint64_t va, struct tlb_entry *ret)
{
	struct answer right = walk(tlb_model->cr3 & FRAME, 4, va, false);

	tlb_model->accesses++;
	if (!check(current(), va, right, ret) || !check(&tlb_model->global, va, right, ret))
		return false;
	tlb_model_touch(va);
	return true;
}

/* ---- invalidation: what the manual promises, and no more ---- */

/* Remove the entries that span `va`; references to tables too when `tables`. */
static void drop(struct tlb_entries *from, uint64_t va, bool leaves, bool tables)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++) {
		bool gone = covers(&from->list[i], va) && (from->list[i].leaf ? leaves : tables);

		if (!gone)
			from->list[kept++] = from->list[i];
	}
	from->count = kept;
}

static void drop_tables(struct tlb_entries *from)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++)
		if (from->list[i].leaf)
			from->list[kept++] = from->list[i];
	from->count = kept;
}

static void keep_tables(struct tlb_entries *from)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++)
		if (!from->list[i].leaf)
			from->list[kept++] = from->list[i];
	from->count = kept;
}

static uint64_t read_cr3(void)
{
	return tlb_model->cr3;
}

static void write_cr3(uint64_t value)
{
	/* Bits that are reserved, or a PCID without CR4.PCIDE: #GP, or worse. */
	if ((value & ~(NOFLUSH | FRAME | 0xfff)) || (!tlb_model->pcids && (value & (NOFLUSH | 0xfff))) ||
	    (value & 0xfff) >= TLB_PCIDS || !handed_out(value & FRAME))
		abort();
	tlb_model->cr3 = value & ~NOFLUSH;
	if ((value & NOFLUSH) || tlb_model->fault == TLB_FAULT_NOFLUSH)
		return;
	if (tlb_model->fault == TLB_FAULT_SPARE_PSC)
		keep_tables(current());
	else
		current()->count = 0;
}

static void flush_page(vaddr_t va)
{
	if (tlb_model->fault == TLB_FAULT_PAGE)
		return;
	drop(&tlb_model->global, va, true, false);
	drop(current(), va, true, false);
	drop_tables(current());
}

static void flush_page_of(unsigned pcid, vaddr_t va)
{
	if (!tlb_model->pcids || pcid >= TLB_PCIDS)
		abort();
	if (tlb_model->fault != TLB_FAULT_PAGE_OF)
		drop(&tlb_model->of[pcid], va, true, true);
}

static void flush_all(void)
{
	if (tlb_model->fault == TLB_FAULT_ALL)
		return;
	for (size_t i = 0; i < TLB_PCIDS; i++)
		tlb_model->of[i].count = 0;
	tlb_model->global.count = 0;
}

const struct tlb_ops tlb_model_ops = { read_cr3, write_cr3, flush_page, NULL, flush_all };
const struct tlb_ops tlb_model_invpcid_ops = { read_cr3, write_cr3, flush_page, flush_page_of, flush_all };

void tlb_model_init(struct tlb_model *model, const struct arena *arena, uint64_t root)
{
	memset(model, 0, sizeof(*model));
	model->arena = arena;
	model->cr3 = root;
	tlb_model = model;
}
