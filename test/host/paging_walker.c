/*
 * The walker of paging_walker.h: one function a level, bits by number as the manual's tables give them.
 * Shares nothing with paging/, so that one mistake is not made twice.
 */
#include "test/host/paging_walker.h"

#include <stdio.h>
#include <stdlib.h>

#define BIT(n)       (1ULL << (n))
#define BITS(hi, lo) ((BIT((hi) - (lo) + 1) - 1) << (lo))

/* IA32_PAT as the kernel programs it, type of index 0 first: WB, WC, WT, UC, WB, WP, UC-, WT. */
static const uint8_t pat[8] = { 6, 1, 4, 0, 6, 5, 7, 4 };

/* A walk so far: rights as the entries above leave them. */
struct state {
	const struct arena *arena;
	struct walked *out;
	bool writable, user, executable;
	bool seen[ARENA_FRAMES];
};

static void bad(const char *what, uint64_t va, uint64_t entry)
{
	fprintf(stderr, "walker: %s: entry %#llx for %#llx\n", what, (unsigned long long)entry, (unsigned long long)va);
	abort();
}

static struct walked_leaf leaf(bool writable, bool user, bool executable, uint64_t va, uint64_t entry, uint64_t size)
{
	unsigned pat_bit = size == BIT(12) ? 7 : 12;
	unsigned index = (unsigned)((entry >> 3 & 1) | (entry >> 4 & 1) << 1 | (entry >> pat_bit & 1) << 2);

	return (struct walked_leaf){
		.va = va,
		.pa = entry & BITS(51, 12) & ~(size - 1),
		.size = size,
		.writable = writable && (entry & BIT(1)),
		.user = user && (entry & BIT(2)),
		.executable = executable && !(entry & BIT(63)),
		.global = entry & BIT(8),
		.memory_type = pat[index],
	};
}

static void check_leaf(uint64_t va, uint64_t entry, uint64_t size)
{
	if (!(entry & BIT(5)) || ((entry & BIT(1)) && !(entry & BIT(6))))
		bad("accessed or dirty is left to the CPU", va, entry);
	if (size == BIT(21) && (entry & BITS(20, 13)))
		bad("reserved bits of a 2 MiB page", va, entry);
	if (size == BIT(30) && (entry & BITS(29, 13)))
		bad("reserved bits of a 1 GiB page", va, entry);
	if (entry & BITS(62, 52))
		bad("bits that nobody owns", va, entry);
}

static void add_leaf(struct state *st, bool writable, bool user, bool executable, uint64_t va, uint64_t entry,
		     uint64_t size)
{
	struct walked *out = st->out;

	check_leaf(va, entry, size);
	if (out->count == out->capacity)
		bad("more leaves than room", va, entry);
	out->leaves[out->count++] = leaf(writable, user, executable, va, entry, size);
}

static const uint64_t *enter_table(struct state *st, uint64_t va, uint64_t entry)
{
	uint64_t pa = entry & BITS(51, 12);
	const uint64_t *table = arena_table(st->arena, pa);
	size_t frame = (pa - ARENA_BASE) >> 12;
	bool empty = true;

	if (!(entry & BIT(5)))
		bad("accessed is left to the CPU", va, entry);
	if (st->seen[frame])
		bad("a table is referred to twice", va, entry);
	st->seen[frame] = true;
	for (int i = 0; i < 512 && empty; i++)
		empty = !(table[i] & BIT(0));
	st->out->tables++;
	st->out->empty_tables += empty;
	return table;
}

static void list_pt(struct state *st, const uint64_t *pt, bool w, bool u, bool x, uint64_t base)
{
	for (uint64_t i = 0; i < 512; i++)
		if (pt[i] & BIT(0))
			add_leaf(st, w, u, x, base + (i << 12), pt[i], BIT(12));
		else if (pt[i])
			bad("an absent entry is not zero", base + (i << 12), pt[i]);
}

static void list_pd(struct state *st, const uint64_t *pd, bool w, bool u, bool x, uint64_t base)
{
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t e = pd[i], va = base + (i << 21);

		if (!(e & BIT(0))) {
			if (e)
				bad("an absent entry is not zero", va, e);
		} else if (e & BIT(7)) {
			add_leaf(st, w, u, x, va, e, BIT(21));
		} else {
			list_pt(st, enter_table(st, va, e), w && (e & BIT(1)), u && (e & BIT(2)), x && !(e & BIT(63)),
				va);
		}
	}
}

static void list_pdpt(struct state *st, const uint64_t *pdpt, bool w, bool u, bool x, uint64_t base)
{
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t e = pdpt[i], va = base + (i << 30);

		if (!(e & BIT(0))) {
			if (e)
				bad("an absent entry is not zero", va, e);
		} else if (e & BIT(7)) {
			add_leaf(st, w, u, x, va, e, BIT(30));
		} else {
			list_pd(st, enter_table(st, va, e), w && (e & BIT(1)), u && (e & BIT(2)), x && !(e & BIT(63)),
				va);
		}
	}
}

void walker_list(const struct arena *a, uint64_t root, struct walked *out)
{
	struct state *st = calloc(1, sizeof(*st));
	const uint64_t *pml4 = arena_table(a, root);

	if (!st)
		abort();
	st->arena = a;
	st->out = out;
	out->count = out->tables = out->empty_tables = 0;
	for (uint64_t i = 0; i < 512; i++) {
		uint64_t e = pml4[i], va = i << 39 | (i & 256 ? BITS(63, 48) : 0);

		if (!(e & BIT(0))) {
			if (e)
				bad("an absent entry is not zero", va, e);
			continue;
		}
		if (e & BIT(7))
			bad("reserved bit of a PML4E", va, e);
		list_pdpt(st, enter_table(st, va, e), e & BIT(1), e & BIT(2), !(e & BIT(63)), va);
	}
	free(st);
}

bool walker_translate(const struct arena *a, uint64_t root, uint64_t va, struct walked_leaf *ret)
{
	uint64_t pml4e = arena_table(a, root)[va >> 39 & 511], pdpte, pde, pte;
	bool w, u, x;

	if (!(pml4e & BIT(0)))
		return false;
	w = pml4e & BIT(1), u = pml4e & BIT(2), x = !(pml4e & BIT(63));

	pdpte = arena_table(a, pml4e & BITS(51, 12))[va >> 30 & 511];
	if (!(pdpte & BIT(0)))
		return false;
	if (pdpte & BIT(7)) {
		*ret = leaf(w, u, x, va & ~BITS(29, 0), pdpte, BIT(30));
		return true;
	}
	w = w && (pdpte & BIT(1)), u = u && (pdpte & BIT(2)), x = x && !(pdpte & BIT(63));

	pde = arena_table(a, pdpte & BITS(51, 12))[va >> 21 & 511];
	if (!(pde & BIT(0)))
		return false;
	if (pde & BIT(7)) {
		*ret = leaf(w, u, x, va & ~BITS(20, 0), pde, BIT(21));
		return true;
	}
	w = w && (pde & BIT(1)), u = u && (pde & BIT(2)), x = x && !(pde & BIT(63));

	pte = arena_table(a, pde & BITS(51, 12))[va >> 12 & 511];
	if (!(pte & BIT(0)))
		return false;
	*ret = leaf(w, u, x, va & ~BITS(11, 0), pte, BIT(12));
	return true;
}
