/*
 * Three million random operations on a space and on the model of paging_model.h, with no difference. After
 * each the touched range is compared, now and then everything. PAGING_SEED repeats a run, PAGING_OPERATIONS
 * changes its length.
 */
#include "test/host/paging_expect.h"
#include "test/host/paging_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define OPERATIONS 3000000ULL
#define EPOCH      (1 << 20) /* operations on one space */
#define FULL       (1 << 12) /* operations between two comparisons of everything */
#define ROOM       (1 << 16)

static struct model model;
static struct walked_leaf leaves[ROOM];
static uint64_t state;

/* Below `bound`; xorshift64*. */
static uint64_t random_below(uint64_t bound)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 32) % bound;
}

/* One operation's arguments. */
struct operation {
	enum { MAP, UNMAP, PROTECT, SPLIT } kind;
	size_t first, end; /* atoms */
	uint64_t va, pages, pa;
	enum page_prot prot;
	int level;
};

static enum page_prot random_prot(bool user)
{
	static const enum page_prot rights[] = { PROT_R, PROT_W, PROT_X };
	enum page_prot prot = rights[random_below(3)];

	/* Few combinations, so that neighbours are often equal. */
	if (random_below(8) == 0)
		prot |= random_below(4) * PROT_WC;
	if (random_below(4) == 0)
		prot |= PROT_GLOBAL;
	if (user && random_below(2))
		prot |= PROT_USER;
	return prot;
}

static uint64_t random_pa(const struct operation *op)
{
	bool large = false;

	for (size_t i = op->first; i < op->end; i++)
		large |= model.atoms[i].large;
	switch (random_below(large ? 2 : 3)) {
	case 0:
		return op->va % G1 + random_below(1 << 20) * G1;
	case 1:
		return op->va % M2 + random_below(1 << 29) * M2;
	default:
		return random_below(1ULL << 31) * K4;
	}
}

static struct operation random_operation(void)
{
	const struct window *w = &model.windows[random_below(MODEL_WINDOWS)];
	size_t atoms = w->end - w->first, length;
	struct operation op = { .kind = (int)random_below(16) };

	op.kind = op.kind < 6 ? MAP : op.kind < 10 ? UNMAP : op.kind < 15 ? PROTECT : SPLIT;
	op.first = w->first + random_below(atoms);
	switch (random_below(8)) {
	case 0: /* to the end of the window */
		length = atoms;
		break;
	case 1:
		length = 1 + random_below(40);
		break;
	case 2: /* from a window's start: whole gigabytes and parts of them */
		op.first = w->first;
		length = 1 + random_below(atoms);
		break;
	default:
		length = 1 + random_below(3);
	}
	op.end = op.first + length < w->end ? op.first + length : w->end;
	op.va = model.atoms[op.first].va;
	for (size_t i = op.first; i < op.end; i++)
		op.pages += model.atoms[i].size / K4;
	op.pa = random_pa(&op);
	op.prot = random_prot(w->user);
	op.level = model.atoms[op.first].large ? 2 : 1 + (int)random_below(3);
	return op;
}

static enum status run(struct space *s, const struct operation *op, struct tlb_flush *flush)
{
	switch (op->kind) {
	case MAP:
		return space_map(s, op->va, paddr(op->pa), op->pages, op->prot);
	case UNMAP:
		return space_unmap(s, op->va, op->pages, flush);
	case PROTECT:
		return space_protect(s, op->va, op->pages, op->prot, flush);
	default:
		return space_split(s, op->va + random_below(model.atoms[op->first].size), op->level, flush);
	}
}

static enum status run_model(const struct operation *op, struct model_flush *flush)
{
	switch (op->kind) {
	case MAP:
		return model_map(&model, op->first, op->end, op->pa, op->prot);
	case UNMAP:
		model_unmap(&model, op->first, op->end, flush);
		return OK;
	case PROTECT:
		model_protect(&model, op->first, op->end, op->prot, flush);
		return OK;
	default:
		return model_split(&model, op->first, op->level, flush);
	}
}

/* The flush spans all that changed, and nothing that the operation did not touch; and its counts are exact. */
static bool flush_agrees(const struct operation *op, const struct tlb_flush *flush, const struct model_flush *want)
{
	uint64_t last = op->va + (op->pages * K4 - 1);

	if (flush->leaves != want->leaves || flush->global != want->global)
		return false;
	if (!want->leaves)
		return flush->start == ~0ULL && flush->last == 0;
	return flush->start <= want->start && flush->last >= want->last &&
	       flush->start >= (want->start < op->va ? want->start : op->va) &&
	       flush->last <= (want->last > last ? want->last : last);
}

/* The walkers agree on one address of the range: ours and the test's. */
static bool lookup_agrees(const struct space *s, const struct operation *op)
{
	uint64_t va = op->va + random_below(op->pages) * K4 + random_below(K4);
	struct walked_leaf leaf;
	struct mapping m;

	if (!walker_translate(&arena, s->root.raw, va, &leaf))
		return space_lookup(s, va, &m) == ERR_NOT_FOUND;
	return space_lookup(s, va, &m) == OK && m.va == leaf.va && m.pa.raw == leaf.pa &&
	       level_size(m.level) == leaf.size && m.prot == walked_prot(&leaf);
}

static bool one_operation(struct space *s)
{
	struct operation op = random_operation();
	struct tlb_flush flush = TLB_FLUSH_NONE;
	struct model_flush want = { .start = ~0ULL };
	size_t used = arena.used, tables = s->tables;
	enum status status;

	/* Now and then frames run out in the middle. */
	if (random_below(16) == 0)
		arena.fail_after = random_below(4);
	status = run(s, &op, &flush);
	if (status == ERR_NO_MEMORY) {
		if (arena.fail_after || arena.used != used || s->tables != tables)
			return false;
	} else if (status != run_model(&op, &want)) {
		return false;
	}
	arena.fail_after = SIZE_MAX;
	if (!flush_agrees(&op, &flush, &want))
		return false;
	space_release(s, &flush);
	if (arena.used != s->tables + 1 || !lookup_agrees(s, &op))
		return false;
	for (size_t i = op.first ? op.first - 1 : 0; i <= op.end && i < model.count; i++)
		if (!model_agrees(&model.atoms[i], s->root.raw))
			return false;
	return true;
}

static bool compare_everything(const struct space *s)
{
	struct walked w = { .leaves = leaves, .capacity = ROOM };

	/* Slot 511's table is pinned: it may be empty, and no other. */
	return model_agrees_fully(&model, s->root.raw, &w) && w.tables == s->tables && w.empty_tables <= 1;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static void test_random_operations(void **cmocka_state)
{
	uint64_t operations = from_environment("PAGING_OPERATIONS", OPERATIONS);
	uint64_t seed = from_environment("PAGING_SEED", (uint64_t)time(NULL) * 1000003);

	(void)cmocka_state;
	printf("PAGING_SEED=%llu, %llu operations\n", (unsigned long long)seed, (unsigned long long)operations);
	fflush(stdout);
	state = seed ? seed : 1;
	for (uint64_t done = 0; done < operations;) {
		int max_leaf = 2 + (int)random_below(2);
		struct space s = new_space(max_leaf);

		assert_int_equal(space_pin(&s, 511), OK);
		model_init(&model, max_leaf);
		for (int i = 0; i < EPOCH && done < operations; i++, done++)
			if (!one_operation(&s) || (done % FULL == 0 && !compare_everything(&s)))
				fail_msg("operation %llu differs, PAGING_SEED=%llu", (unsigned long long)done,
					 (unsigned long long)seed);
		assert_true(compare_everything(&s));
		arena_table(&arena, s.root.raw)[511] &= ~PTE_PINNED;
		end_space(&s);
		assert_int_equal(arena.used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_operations, fresh_arena, check_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
