/*
 * Creates, adopts, shares and clears spaces (a space is a PML4 with the tables below it), and takes and frees the
 * frames of their tables. Maps nothing.
 */
#include "paging/internal.h"

enum status space_init(struct space *s, const struct space_ops *ops, void *ctx, uintptr_t direct, int max_leaf)
{
	paddr_t root;
	enum status status = ops->alloc(ctx, &root);

	if (status != OK)
		return status;
	*s = (struct space){ .root = root, .direct = direct, .ops = ops, .ctx = ctx, .max_leaf = max_leaf };
	entries_clear(table_at(s, root), TABLE_ENTRIES);
	return OK;
}

static bool count_table(void *ctx, paddr_t pa, int level, vaddr_t va)
{
	(void)pa;
	(void)level;
	(void)va;
	++*(size_t *)ctx;
	return true;
}

void space_adopt(struct space *s, paddr_t root, const struct space_ops *ops, void *ctx, uintptr_t direct, int max_leaf)
{
	size_t tables = 0;

	*s = (struct space){ .root = root, .direct = direct, .ops = ops, .ctx = ctx, .max_leaf = max_leaf };
	space_visit(s, 0, ~0ULL, &(struct space_visitor){ .table = count_table, .ctx = &tables });
	s->tables = tables;
}

enum status space_pin(struct space *s, unsigned index)
{
	pte_t *at = &table_at(s, s->root)[index];
	pte_t e = pte_read(at);

	if (!pte_present(e)) {
		paddr_t pa;
		enum status status = s->ops->alloc(s->ctx, &pa);

		if (status != OK)
			return status;
		entries_clear(table_at(s, pa), TABLE_ENTRIES);
		s->tables++;
		e = pte_table(pa, index < TABLE_ENTRIES / 2);
	}
	if (!(e.raw & PTE_PINNED))
		pte_write(at, (pte_t){ e.raw | PTE_PINNED });
	return OK;
}

void space_share(struct space *s, const struct space *from, unsigned index)
{
	pte_write(&table_at(s, s->root)[index], pte_read(&table_at(from, from->root)[index]));
}

/* Free a chain of frames. A frame's link to the next is read before the frame is freed. */
static void free_chain(struct space *s, paddr_t first)
{
	while (first.raw) {
		paddr_t next = *(paddr_t *)table_at(s, first);

		s->ops->free(s->ctx, first);
		first = next;
	}
}

/* Free the table at `pa`, with entries of `level`, and all tables below it. */
static void free_tables(struct space *s, paddr_t pa, int level)
{
	const pte_t *table = table_at(s, pa);

	/* Entries of level 1 refer to no table, so that table is not even read. */
	for (unsigned i = 0; level > 1 && i < TABLE_ENTRIES; i++)
		if (pte_is_table(table[i], level))
			free_tables(s, pte_paddr(table[i], level), level - 1);
	s->ops->free(s->ctx, pa);
	s->tables--;
}

void space_clear(struct space *s, unsigned first, unsigned last)
{
	pte_t *root = table_at(s, s->root);

	for (unsigned i = first; (i += entries_absent(&root[i], last - i)) < last; i++) {
		pte_t e = pte_read(&root[i]);

		if (e.raw & PTE_PINNED)
			continue;
		pte_write(&root[i], (pte_t){ 0 });
		free_tables(s, pte_paddr(e, 4), 3);
	}
	if (first == 0 && last == TABLE_ENTRIES) {
		free_chain(s, s->spares);
		s->spares = paddr(0);
		s->spare_count = 0;
		s->ops->free(s->ctx, s->root);
		s->root = paddr(0);
	}
}

void space_release(struct space *s, struct tlb_flush *flush)
{
	while (flush->tables.raw && s->spare_count < s->spares_max) {
		paddr_t pa = flush->tables;
		paddr_t *link = (paddr_t *)table_at(s, pa);

		flush->tables = *link;
		*link = s->spares;
		s->spares = pa;
		s->spare_count++;
	}
	free_chain(s, flush->tables);
	*flush = TLB_FLUSH_NONE;
}

enum status reserve_take(struct space *s, size_t count, struct reserve *ret)
{
	paddr_t first = paddr(0);

	for (size_t i = 0; i < count; i++) {
		paddr_t pa;
		enum status status = s->ops->alloc(s->ctx, &pa);

		if (status != OK) {
			free_chain(s, first);
			return status;
		}
		*(paddr_t *)table_at(s, pa) = first;
		first = pa;
	}
	s->tables += count;
	ret->first = first;
	return OK;
}
