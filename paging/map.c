/*
 * Implements space_map() in three steps: the plan finds conflicts and counts the tables that are needed, the reserve
 * takes frames for all of these, and the commit, which cannot fail, writes the entries. So an error leaves everything
 * as it was. Never overwrites a leaf. An empty table that is in the tree already is used, not replaced.
 */
#include "paging/internal.h"

struct map_job {
	struct space *s;
	uint64_t offset; /* physical minus virtual address, modulo 2^64 */
	enum page_prot prot;
	int max_leaf;           /* level of the largest leaf that the space has, and to which `offset` is aligned */
	bool planned;           /* the plan has found the whole range free */
	size_t tables;          /* how many tables to reserve; set by the plan */
	struct reserve reserve; /* the tables' frames, which the commit uses */
};

/* Handle the gap [va, last]: entries of `level` in one table, `at` the first, none of them present. */
typedef void gap_fn(struct map_job *job, pte_t *at, int level, vaddr_t va, vaddr_t last);

/*
 * Call `gap` for each run of absent entries in [va, last]; `at`, of `level`, is the entry for `va`.
 * Returns ERR_EXISTS at the first leaf.
 */
static enum status each_gap(struct map_job *job, pte_t *at, int level, vaddr_t va, vaddr_t last, gap_fn *gap)
{
	/* Every PTE of the range must be absent; all of them together are one gap. */
	if (level == 1) {
		size_t entries = (last - va) / PAGE_SIZE + 1;

		if (!job->planned && entries_absent(at, entries) != entries)
			return ERR_EXISTS;
		gap(job, at, level, va, last);
		return OK;
	}
	for (;;) {
		uint64_t size = level_size(level);
		size_t absent = entries_absent(at, last / size - va / size + 1);
		vaddr_t stop;

		if (absent) {
			stop = entry_last(va + (absent - 1) * size, last, level);
			gap(job, at, level, va, stop);
		} else {
			pte_t e = pte_read(at);
			enum status status;

			if (pte_is_leaf(e, level))
				return ERR_EXISTS;
			stop = entry_last(va, last, level);
			status = each_gap(job, &table_below(job->s, e)[level_index(va, level - 1)], level - 1, va, stop,
					  gap);
			if (status != OK)
				return status;
		}
		if (stop == last)
			return OK;
		at += absent ? absent : 1;
		va = stop + 1;
	}
}

/* Add to job->tables how many new tables the gap [va, last] needs when mapped; a gap_fn. */
static void count_tables(struct map_job *job, pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	(void)at;
	for (; level > 1; level--) {
		uint64_t size = level_size(level);
		uint64_t first_block = va / size, last_block = last / size;
		uint64_t blocks = last_block - first_block + 1;

		/* Each block of this size takes a table of its own, except those that one leaf maps. */
		if (level <= job->max_leaf) {
			first_block += !is_aligned(va, size);
			last_block += is_aligned(last + 1, size);
			if (last_block > first_block)
				blocks -= last_block - first_block;
		}
		/* No block of this size needs a table, so no smaller block does either. */
		if (!blocks)
			return;
		job->tables += blocks;
	}
}

/*
 * Fill the gap [va, last] with leaves where they fit, and with new tables elsewhere; a gap_fn. Every entry of a new
 * table is stored, so the old content of its frame does not matter.
 */
static void populate(struct map_job *job, pte_t *at, int level, vaddr_t va, vaddr_t last)
{
	uint64_t size = level_size(level);

	while (va - 1 != last) {
		uint64_t leaves = level <= job->max_leaf && is_aligned(va, size) ? (last - va + 1) / size : 0;
		vaddr_t stop;
		paddr_t pa;
		pte_t *table;
		unsigned from, to;

		if (leaves) {
			entries_fill(at, pte_leaf(paddr(va + job->offset), job->prot, level), size, leaves);
			at += leaves;
			va += leaves * size;
			continue;
		}
		stop = entry_last(va, last, level);
		from = level_index(va, level - 1);
		to = level_index(stop, level - 1) + 1;
		pa = reserve_pop(job->s, &job->reserve);
		table = table_at(job->s, pa);
		entries_clear(table, from);
		populate(job, &table[from], level - 1, va, stop);
		entries_clear(&table[to], TABLE_ENTRIES - to);
		/*
		 * Link the table only now that it is complete, so that a CPU that walks down meanwhile never sees its
		 * old content.
		 */
		pte_write(at++, pte_table(pa, !(va >> 63)));
		va = stop + 1;
	}
}

/*
 * Map a range: plan, reserve, commit. All three work from the lowest table whose span holds the whole range, which is
 * looked up once.
 */
static __attribute__((noinline)) enum status map_range(struct space *s, vaddr_t va, paddr_t pa, size_t pages,
						       enum page_prot prot)
{
	struct map_job job = { .s = s, .offset = pa.raw - va, .prot = prot, .max_leaf = s->max_leaf };
	struct walk_end top;
	enum status status;
	vaddr_t last;

	if (!range_last(va, pages, &last) || !is_aligned(pa.raw, PAGE_SIZE) ||
	    (pa.raw | (pa.raw + (last - va))) & ~(PTE_ADDRESS | (PAGE_SIZE - 1)))
		return ERR_RANGE;
	if (!rights_allowed(va, prot))
		return ERR_RIGHTS;
	while (!is_aligned(job.offset, level_size(job.max_leaf)))
		job.max_leaf--;
	top = walk_range(s, va, last, NULL);
	status = each_gap(&job, top.at, top.level, va, last, count_tables);
	if (status == OK && job.tables)
		status = reserve_take(s, job.tables, &job.reserve);
	if (status != OK)
		return status;
	job.planned = true;
	return each_gap(&job, top.at, top.level, va, last, populate);
}

enum status space_map(struct space *s, vaddr_t va, paddr_t pa, size_t pages, enum page_prot prot)
{
	/*
	 * The most common case, one page in a table that exists already, is done here. map_range() does the rest, and
	 * reports the errors.
	 */
	if (pages == 1 && is_aligned(va, PAGE_SIZE) && is_canonical(va) && !(pa.raw & ~PTE_ADDRESS) &&
	    rights_allowed(va, prot)) {
		struct walk_end top = walk_range(s, va, va, NULL);

		if (top.level == 1 && !pte_present(top.e)) {
			pte_write(top.at, pte_leaf(pa, prot, 1));
			return OK;
		}
	}
	return map_range(s, va, pa, pages, prot);
}
