/*
 * Operations that only read a space (a PML4 with the tables below it): find, walk, look up, visit.
 */
#include "paging/internal.h"

#define LOWER_LAST  0x00007fffffffffffULL
#define UPPER_FIRST 0xffff800000000000ULL

int space_walk(const struct space *s, vaddr_t va, struct slot path[4])
{
	if (!is_canonical(va))
		return 0;
	return path_length(walk_range(s, va, va, path).level);
}

struct slot space_find(const struct space *s, vaddr_t va)
{
	struct slot path[4];
	int n = space_walk(s, va, path);

	return n ? path[n - 1] : (struct slot){ NULL, 0 };
}

/*
 * Return the mapping of the leaf `e`, of `level`, around `va`, with its rights restricted by the table entries above
 * it.
 */
static inline struct mapping leaf_mapping(pte_t e, int level, vaddr_t va, uint64_t granted, uint64_t denied)
{
	uint64_t rights = (e.raw & (granted | ~(PTE_WRITABLE | PTE_USER))) | (denied & PTE_NX);
	uint64_t base = ~(level_size(level) - 1);

	/* pte_paddr() would test again whether `e` is a leaf, and every translation would wait for that test. */
	return (struct mapping){
		.va = va & base,
		.pa = paddr(e.raw & PTE_ADDRESS & base),
		.level = level,
		.prot = pte_prot((pte_t){ rights }),
	};
}

enum status space_lookup(const struct space *s, vaddr_t va, struct mapping *ret)
{
	struct walk_end w;

	if (!is_canonical(va))
		return ERR_NOT_FOUND;
	w = walk_range(s, va, va, NULL);
	if (!pte_present(w.e))
		return ERR_NOT_FOUND;
	*ret = leaf_mapping(w.e, w.level, va, w.granted, w.denied);
	return OK;
}

/* The state of a visit: the arguments, and the rights that the entries above the current table allow. */
struct visit {
	const struct space *s;
	const struct space_visitor *v;
	uint64_t granted; /* bits that are set in all table entries above, as in struct walk_end */
	uint64_t denied;  /* bits that are set in any table entry above */
};

/*
 * Return how many of `most` neighbouring entries, of which the leaf `e` is the first, map memory that goes on where
 * the entry before ends, with the same bits. Whether the CPU has used them makes no difference.
 */
static size_t run_length(const pte_t *at, pte_t e, int level, size_t most)
{
	const uint64_t size = level_size(level);
	size_t length = 1;

	for (uint64_t next = e.raw + size; length < most; next += size, length++)
		if ((pte_read(&at[length]).raw ^ next) & ~(PTE_ACCESSED | PTE_DIRTY))
			break;
	return length;
}

/*
 * Call the visitor for the leaf *m, the entry `e` at `at`, and for those that continue it up to `last`. Returns how
 * many leaves that were; 0: the visit is to stop.
 */
static size_t visit_leaves(const struct space_visitor *v, const pte_t *at, pte_t e, const struct mapping *m,
			   vaddr_t last)
{
	size_t count;

	if (!v->leaves)
		return !v->leaf || v->leaf(v->ctx, m);
	count = run_length(at, e, m->level, (last - m->va) / level_size(m->level) + 1);
	return v->leaves(v->ctx, m, count) ? count : 0;
}

/* Visit the entries from `at`, of `level`, that [va, last] reaches; all of them lie in one table. */
static bool visit_entries(struct visit visit, const pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	const bool wants_leaves = visit.v->leaf || visit.v->leaves;

	for (;; at++) {
		vaddr_t stop = entry_last(va, last, level);
		pte_t e = pte_read(at);

		if (pte_is_leaf(e, level)) {
			struct mapping m = leaf_mapping(e, level, va, visit.granted, visit.denied);
			size_t count = visit_leaves(visit.v, at, e, &m, last);

			if (!count)
				return false;
			at += count - 1;
			stop = entry_last(va + (count - 1) * level_size(level), last, level);
		} else if (pte_present(e)) {
			struct visit below = { visit.s, visit.v, visit.granted & e.raw, visit.denied | e.raw };
			const pte_t *table = table_below(visit.s, e);

			if (visit.v->table && !visit.v->table(visit.v->ctx, pte_paddr(e, level), level - 1,
							      align_down(va, level_size(level))))
				return false;
			/* A table of PTEs holds leaves only, so it need not be visited when nobody asks for leaves. */
			if ((level > 2 || wants_leaves) &&
			    !visit_entries(below, &table[level_index(va, level - 1)], level - 1, va, stop))
				return false;
		}
		if (stop == last)
			return true;
		va = stop + 1;
	}
}

bool space_visit(const struct space *s, vaddr_t va, vaddr_t last, const struct space_visitor *v)
{
	struct visit visit = { s, v, ~0ULL, 0 };
	const pte_t *root = table_at(s, s->root);
	vaddr_t lower_last = last < LOWER_LAST ? last : LOWER_LAST;
	vaddr_t upper_first = va > UPPER_FIRST ? va : UPPER_FIRST;

	/* No table holds the addresses between the halves: each half is visited on its own. */
	if (va <= lower_last && !visit_entries(visit, &root[level_index(va, 4)], 4, va, lower_last))
		return false;
	return upper_first > last || visit_entries(visit, &root[level_index(upper_first, 4)], 4, upper_first, last);
}
