/*
 * Visits the leaves of a space, and joins neighbours to runs. Prints nothing.
 */
#include "kernel/report/leaf_runs.h"

struct visit {
	leaf_run_fn *see;
	void *ctx;
	struct leaf_run run; /* the run that leaves are added to; `see` gets it at its end. No leaves: no run yet */
	size_t tables;
};

static void end_run(struct visit *v)
{
	const size_t *leaves = v->run.leaves;

	if (leaves[0] | leaves[1] | leaves[2] | leaves[3])
		v->see(v->ctx, &v->run);
}

static bool add_leaves(void *ctx, const struct mapping *m, size_t count)
{
	const uint64_t size = level_size(m->level);
	struct visit *v = ctx;
	size_t range = layout_find(m->va);

	/* Large leaves in a row may extend into another range: then add them one by one. */
	if (count > 1 && layout_find(m->va + count * size - 1) != range) {
		struct mapping one = *m;

		for (; count--; one.va += size, one.pa = paddr_add(one.pa, size))
			(void)add_leaves(ctx, &one, 1);
		return true;
	}
	if (m->va != v->run.last + 1 || m->prot != v->run.prot || range != v->run.range) {
		end_run(v);
		v->run = (struct leaf_run){ .start = m->va, .prot = m->prot, .range = range };
	}
	v->run.last = m->va + count * size - 1;
	v->run.leaves[m->level - 1] += count;
	return true;
}

static bool add_table(void *ctx, paddr_t pa, int level, vaddr_t va)
{
	struct visit *v = ctx;

	(void)pa;
	(void)level;
	(void)va;
	v->tables++;
	return true;
}

size_t leaf_runs_visit(const struct space *s, leaf_run_fn *see, void *ctx)
{
	struct visit v = { .see = see, .ctx = ctx };
	const struct space_visitor visitor = { .leaves = add_leaves, .table = add_table, .ctx = &v };

	space_visit(s, 0, ~0ULL, &visitor);
	end_run(&v);
	return v.tables + 1;
}
