/*
 * Finds runs of leaves, makes tables for new leaves, and removes tables that the caller knows to be empty; see
 * leaves.h.
 */
#include "paging/leaves.h"

#include "paging/internal.h"

struct slot space_leaf_slot(const struct space *s, vaddr_t va)
{
	struct walk_end w = walk_range(s, va, va, NULL);

	return (struct slot){ w.at, w.level };
}

bool space_run(const struct space *s, vaddr_t va, vaddr_t last, struct space_run *ret)
{
	for (;;) {
		struct walk_end w = walk_range(s, va, va, NULL);
		vaddr_t stop;

		if (w.level == 1) {
			stop = entry_last(va, last, 2);
			*ret = (struct space_run){ w.at, (stop - va) / PAGE_SIZE + 1, 1, va };
			return true;
		}
		/* Skip the absent entries of this table here: a new walk for each would cost more. */
		while (!w.e.raw) {
			stop = entry_last(va, last, w.level);
			if (stop == last)
				return false;
			va = stop + 1;
			if (level_index(va, w.level) == 0)
				break;
			w.e = pte_read(++w.at);
		}
		if (w.e.raw && !pte_is_table(w.e, w.level)) {
			*ret = (struct space_run){ w.at, 1, w.level, align_down(va, level_size(w.level)) };
			return true;
		}
	}
}

/*
 * Take an emptied table from s->spares. When its first entry, the link to the next spare, is cleared, all its entries
 * are 0.
 */
static paddr_t spare_pop(struct space *s)
{
	paddr_t pa = s->spares;
	paddr_t *link = (paddr_t *)table_at(s, pa);

	s->spares = *link;
	*link = paddr(0);
	s->spare_count--;
	s->tables++;
	return pa;
}

enum status space_place(struct space *s, vaddr_t va, int level, pte_t **ret)
{
	struct walk_end w = walk_range(s, va, va | (level_size(level) - 1), NULL);
	struct reserve reserve = { paddr(0) };
	enum status status = OK;
	size_t missing;
	pte_t *at;

	if (w.level == level && !pte_is_table(w.e, level)) {
		*ret = w.at;
		return OK;
	}
	if (w.e.raw)
		return ERR_EXISTS;
	missing = (size_t)(w.level - level);
	if (missing > s->spare_count)
		status = reserve_take(s, missing - s->spare_count, &reserve);
	if (status != OK)
		return status;
	at = w.at;
	for (int below = w.level - 1; below >= level; below--) {
		paddr_t pa;

		if (s->spare_count) {
			pa = spare_pop(s);
		} else {
			pa = reserve_pop(s, &reserve);
			entries_clear(table_at(s, pa), TABLE_ENTRIES);
		}
		pte_write(at, pte_table(pa, true));
		at = &table_at(s, pa)[level_index(va, below)];
	}
	*ret = at;
	return OK;
}

struct prune {
	struct space *s;
	vaddr_t floor;
	vaddr_t ceiling;
	struct tlb_flush *flush;
};

/*
 * Do the work of space_prune() below the entries of `level` for [va, last], which lie in one table; `at` is the first.
 */
static void prune_entries(const struct prune *p, pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	for (;; at++) {
		vaddr_t stop = entry_last(va, last, level);
		vaddr_t base = align_down(va, level_size(level));
		pte_t e = pte_read(at);

		if (pte_is_table(e, level)) {
			pte_t *table = table_below(p->s, e);

			if (level > 2)
				prune_entries(p, &table[level_index(va, level - 1)], level - 1, va, stop);
			if (base >= p->floor && base + (level_size(level) - 1) < p->ceiling) {
				pte_write(at, (pte_t){ 0 });
				/*
				 * A CPU that still walks the table, because it has cached a pointer to it, finds no
				 * present entry: all entries are absent except the first, which now links to the next
				 * emptied table. The link is page-aligned, so bit 0, "present", is clear.
				 */
				pte_write(table, (pte_t){ p->flush->tables.raw });
				p->flush->tables = paddr(e.raw & PTE_ADDRESS);
				p->s->tables--;
			}
		}
		if (stop == last)
			return;
		va = stop + 1;
	}
}

void space_prune(struct space *s, vaddr_t va, vaddr_t last, vaddr_t floor, vaddr_t ceiling, struct tlb_flush *flush)
{
	const struct prune p = { s, floor, ceiling, flush };

	prune_entries(&p, &table_at(s, s->root)[level_index(va, 4)], 4, va, last);
}
