/*
 * Operations that change existing mappings: split, protect, unmap. Each records in a struct tlb_flush what its caller
 * must invalidate. None frees a table: tables that have become empty are added to the struct. Frames for splits are
 * allocated before anything changes.
 */
#include "paging/internal.h"

/* The state of one operation, passed between the functions of this file. */
struct change {
	struct space *s;
	struct tlb_flush *flush;
	struct reserve reserve;     /* tables for the large leaves that cross the range's ends, allocated beforehand */
	const enum page_prot *prot; /* space_protect: the rights to give; NULL in space_unmap */
};

/*
 * Add `leaves` changed entries, somewhere in [va, last], to the flush; `bits`: all bits that were set in any of them.
 */
static void flush_add(struct tlb_flush *flush, vaddr_t va, vaddr_t last, size_t leaves, uint64_t bits)
{
	if (!leaves)
		return;
	if (va < flush->start)
		flush->start = va;
	if (last > flush->last)
		flush->last = last;
	flush->leaves += leaves;
	flush->global |= (bits & PTE_GLOBAL) != 0;
}

/* walk_range(), compiled once for this file: inlined at each call it would be large. */
static __attribute__((noinline)) struct walk_end walk(const struct space *s, vaddr_t va, vaddr_t last,
						      struct slot *path)
{
	return walk_range(s, va, last, path);
}

/* Return how many entries of `level`, all in one table, the range [va, last] takes. */
static inline size_t entry_count(vaddr_t va, vaddr_t last, int level)
{
	return level_index(last, level) - level_index(va, level) + 1;
}

/* Eight neighbouring entries, each read once. */
struct eight {
	uint64_t raw[8];
	uint64_t bits; /* the bits beside the address, which eight_read() has found equal in all eight */
};

/* Read the eight entries from `at`. Return whether they differ in the address only; if not, *ret is meaningless. */
static inline __attribute__((always_inline)) bool eight_read(const pte_t *at, struct eight *ret)
{
	uint64_t any = 0, all = ~0ULL;

#pragma GCC unroll 8
	for (int i = 0; i < 8; i++) {
		ret->raw[i] = pte_read(&at[i]).raw;
		any |= ret->raw[i];
		all &= ret->raw[i];
	}
	ret->bits = all & ~PTE_ADDRESS;
	return !((any ^ all) & ~PTE_ADDRESS);
}

/* ---- split ---- */

/*
 * Replace the leaf at `at`, of `level`, by a table of 512 smaller leaves that map the same memory. Returns that table.
 */
static pte_t *split_leaf(struct change *c, pte_t *at, int level, vaddr_t va)
{
	pte_t e = pte_read(at);
	paddr_t pa = reserve_pop(c->s, &c->reserve);
	pte_t *table = table_at(c->s, pa);

	entries_fill(table, pte_leaf(pte_paddr(e, level), pte_prot(e), level - 1), level_size(level - 1),
		     TABLE_ENTRIES);
	pte_write(at, pte_table(pa, !(va >> 63)));
	flush_add(c->flush, align_down(va, level_size(level)), va | (level_size(level) - 1), 1, e.raw);
	return table;
}

/*
 * Split the leaf at which `w`, a walk for `va`, ended, then the smaller leaf that maps `va`, and so on down to `level`.
 */
static void cut(struct change *c, struct walk_end w, vaddr_t va, int level)
{
	for (; w.level > level; w.level--)
		w.at = &split_leaf(c, w.at, w.level, va)[level_index(va, w.level - 1)];
}

/*
 * Return the level down to which the leaf at the end of `w` must be split so that no leaf crosses the address `edge`;
 * the leaf's own level when it need not be split.
 */
static int cut_level(const struct change *c, const struct walk_end *w, vaddr_t edge)
{
	int level = w->level;

	/* A leaf that already has the rights it is to get may stay whole. */
	if (!pte_present(w->e) || (c->prot && w->e.raw == pte_leaf(pte_paddr(w->e, level), *c->prot, level).raw))
		return level;
	while (!is_aligned(edge, level_size(level)))
		level--;
	return level;
}

/*
 * Split the leaves that cross the start or the end of [va, last]. All tables for that are allocated first: at most two
 * for each end. Returns ERR_NO_MEMORY; then nothing has changed.
 */
static enum status cut_edges(struct change *c, vaddr_t va, vaddr_t last)
{
	struct walk_end first_end = walk(c->s, va, va, NULL), last_end = walk(c->s, last, last, NULL);
	int first_level = cut_level(c, &first_end, va);
	/* an end of 2^47 or 2^64 (here 0) is the end of a half, which no leaf crosses */
	int last_level = cut_level(c, &last_end, last + 1);
	size_t tables = (size_t)(first_end.level - first_level);
	enum status status;

	/* When one leaf crosses both ends, count the tables that both ends need once, not twice. */
	for (int level = last_end.level; level > last_level; level--)
		tables += level <= first_level || (va ^ last) / level_size(level);
	if (!tables)
		return OK;
	status = reserve_take(c->s, tables, &c->reserve);
	if (status != OK)
		return status;
	cut(c, first_end, va, first_level);
	cut(c, walk(c->s, last, last, NULL), last, last_level);
	return OK;
}

enum status space_split(struct space *s, vaddr_t va, int level, struct tlb_flush *ret_flush)
{
	struct change c = { .s = s, .flush = ret_flush };
	struct walk_end end;
	enum status status;

	if (!is_canonical(va) || level < 1 || level > 3)
		return ERR_RANGE;
	end = walk(s, va, va, NULL);
	if (!pte_present(end.e))
		return ERR_NOT_FOUND;
	if (end.level <= level)
		return OK;
	status = reserve_take(s, (size_t)(end.level - level), &c.reserve);
	if (status == OK)
		cut(&c, end, va, level);
	return status;
}

/* ---- protect ---- */

/* Set the rights of the present PTEs for [va, last] to c->prot. `at` is the first of these PTEs. */
static void protect_ptes(struct change *c, pte_t *at, vaddr_t va, vaddr_t last)
{
	const uint64_t want = pte_leaf(paddr(0), *c->prot, 1).raw;
	size_t n = entry_count(va, last, 1), leaves = 0;
	uint64_t changed = 0;

	while (n) {
		struct eight eight;
		size_t slow;

		/*
		 * Eight neighbours usually have the same rights: then XOR with one value sets the new rights of each.
		 */
		for (; n >= 8 && eight_read(at, &eight); n -= 8, at += 8) {
			uint64_t flip = eight.bits ^ want;

			if (!(eight.bits & PTE_PRESENT) || !flip)
				continue;
#pragma GCC unroll 8
			for (int i = 0; i < 8; i++)
				pte_write(&at[i], (pte_t){ eight.raw[i] ^ flip });
			changed |= eight.bits;
			leaves += 8;
		}
		for (slow = n < 8 ? n : 8; slow; slow--, n--, at++) {
			uint64_t raw = pte_read(at).raw;

			if (!(raw & PTE_PRESENT) || (raw & ~PTE_ADDRESS) == want)
				continue;
			pte_write(at, (pte_t){ (raw & PTE_ADDRESS) | want });
			changed |= raw;
			leaves++;
		}
	}
	flush_add(c->flush, va, last, leaves, changed);
}

/*
 * Set the rights of the leaves of [va, last] to c->prot. `at`, an entry of `level`, is the entry for `va`; all entries
 * of `level` for the range are in one table.
 */
static void protect_entries(struct change *c, pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	if (level == 1) {
		protect_ptes(c, at, va, last);
		return;
	}
	for (size_t n = entry_count(va, last, level); n; n--, at++) {
		vaddr_t stop = entry_last(va, last, level);
		pte_t e = pte_read(at);

		if (pte_is_leaf(e, level)) {
			pte_t want = pte_leaf(pte_paddr(e, level), *c->prot, level);

			if (want.raw != e.raw) {
				pte_write(at, want);
				flush_add(c->flush, va, stop, 1, e.raw);
			}
		} else if (pte_present(e)) {
			protect_entries(c, &table_below(c->s, e)[level_index(va, level - 1)], level - 1, va, stop);
		}
		va = stop + 1;
	}
}

enum status space_protect(struct space *s, vaddr_t va, size_t pages, enum page_prot prot, struct tlb_flush *ret_flush)
{
	struct change c = { .s = s, .flush = ret_flush, .prot = &prot };
	struct walk_end top;
	vaddr_t last;

	if (!range_last(va, pages, &last))
		return ERR_RANGE;
	if (!rights_allowed(va, prot))
		return ERR_RIGHTS;
	top = walk(s, va, last, NULL);
	if (top.level > 1) {
		enum status status = cut_edges(&c, va, last);

		if (status != OK)
			return status;
	}
	protect_entries(&c, top.at, top.level, va, last);
	return OK;
}

/* ---- unmap ---- */

/*
 * Return whether a table is empty outside its entries [first, last]. The entries nearest to these are looked at first,
 * since in a table that is not empty one of the nearest is usually present.
 */
static bool empty_around(const pte_t *table, unsigned first, unsigned last)
{
	for (unsigned away = 1; away <= first || last + away < TABLE_ENTRIES; away++) {
		if (away <= first && pte_present(pte_read(&table[first - away])))
			return false;
		if (last + away < TABLE_ENTRIES && pte_present(pte_read(&table[last + away])))
			return false;
	}
	return true;
}

/*
 * Remove the empty table below `at` from the space, and add it to the flush. A CPU that still walks the table, because
 * it has cached a pointer to it, finds no present entry: the first entry now links to the next emptied table, and the
 * link is page-aligned, so bit 0, "present", is clear.
 */
static void drop_table(struct change *c, pte_t *at)
{
	paddr_t pa = paddr(pte_read(at).raw & PTE_ADDRESS);

	pte_write(at, (pte_t){ 0 });
	pte_write(table_at(c->s, pa), (pte_t){ c->flush->tables.raw });
	c->flush->tables = pa;
	c->s->tables--;
}

static void unmap_ptes(struct change *c, pte_t *at, vaddr_t va, vaddr_t last)
{
	size_t n = entry_count(va, last, 1), leaves = 0;
	uint64_t removed = 0;

	while (n) {
		struct eight eight;
		size_t slow;

		for (; n >= 8 && eight_read(at, &eight); n -= 8, at += 8) {
#pragma GCC unroll 8
			for (int i = 0; i < 8; i++)
				pte_write(&at[i], (pte_t){ 0 });
			removed |= eight.bits;
			leaves += eight.bits & PTE_PRESENT ? 8 : 0;
		}
		for (slow = n < 8 ? n : 8; slow; slow--, n--, at++) {
			uint64_t raw = pte_read(at).raw;

			pte_write(at, (pte_t){ 0 });
			removed |= raw;
			leaves += raw & PTE_PRESENT;
		}
	}
	flush_add(c->flush, va, last, leaves, removed);
}

/*
 * Remove the leaves of [va, last] and the tables that become empty. `at`, an entry of `level`, is the entry for `va`;
 * all entries of `level` for the range are in one table. Returns whether these entries are all absent now.
 */
static bool unmap_entries(struct change *c, pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	bool empty = true;

	if (level == 1) {
		unmap_ptes(c, at, va, last);
		return true;
	}
	for (size_t n = entry_count(va, last, level); n; n--, at++) {
		vaddr_t stop = entry_last(va, last, level);
		pte_t e = pte_read(at);

		if (pte_is_leaf(e, level)) {
			pte_write(at, (pte_t){ 0 });
			flush_add(c->flush, va, stop, 1, e.raw);
		} else if (pte_present(e)) {
			unsigned first = level_index(va, level - 1);
			pte_t *table = table_below(c->s, e);

			if (unmap_entries(c, &table[first], level - 1, va, stop) && !(e.raw & PTE_PINNED) &&
			    empty_around(table, first, level_index(stop, level - 1)))
				drop_table(c, at);
			else
				empty = false;
		}
		va = stop + 1;
	}
	return empty;
}

enum status space_unmap(struct space *s, vaddr_t va, size_t pages, struct tlb_flush *ret_flush)
{
	struct change c = { .s = s, .flush = ret_flush };
	struct slot path[4], *at;
	struct walk_end top;
	vaddr_t last;

	if (!range_last(va, pages, &last))
		return ERR_RANGE;
	top = walk(s, va, last, path);
	if (top.level > 1) {
		enum status status = cut_edges(&c, va, last);

		if (status != OK)
			return status;
	}
	if (!unmap_entries(&c, top.at, top.level, va, last))
		return OK;
	/*
	 * Then drop the tables through which the walk came, from the lowest upwards, as long as they have become empty,
	 * too.
	 */
	for (at = &path[4 - top.level]; at > path && !(pte_read(at[-1].pte).raw & PTE_PINNED); at--) {
		unsigned first = level_index(va, at->level);

		if (!empty_around(at->pte - first, first, level_index(last, at->level)))
			break;
		drop_table(&c, at[-1].pte);
	}
	return OK;
}
