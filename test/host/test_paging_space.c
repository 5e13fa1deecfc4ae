/*
 * The life of a space: init, adopt, pin, share, visit, clear. And each operation with the n-th frame
 * refused, for every n: mappings and tables are as before, and no frame is lost.
 */
#include "paging/layout.h"
#include "test/host/paging_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RAM 0x1234500000000ULL

#define MAP(s, va, pa, pages, prot) assert_int_equal(space_map(s, va, paddr(pa), pages, prot), OK)

/* A pinned table stays for ever: so that no frame is lost here, the test undoes it by hand. */
static void unpin(struct space *s, unsigned slot)
{
	arena_table(&arena, s->root.raw)[slot] &= ~PTE_PINNED;
}

static void test_init_fails(void **state)
{
	struct space s;

	(void)state;
	arena.fail_after = 0;
	assert_int_equal(space_init(&s, &arena_ops, &arena, arena_direct(&arena), 3), ERR_NO_MEMORY);
	assert_int_equal(arena.used, 0);
}

/* ---- pin and share ---- */

static void test_pin(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;
	uint64_t pdpt;

	(void)state;
	assert_int_equal(space_pin(&s, 511), OK);
	assert_int_equal(s.tables, 1);
	assert_int_equal(arena.used, 2);
	pdpt = arena_table(&arena, s.root.raw)[511];
	assert_int_equal(space_pin(&s, 511), OK);
	assert_int_equal(s.tables, 1);

	/* Whatever comes and goes below it, the table stays. */
	MAP(&s, IMAGE_BASE, RAM, 1, PROT_X);
	assert_int_equal(space_unmap(&s, IMAGE_BASE, 1, &flush), OK);
	assert_int_equal(s.tables, 1);
	expect_flush(&s, &flush, IMAGE_BASE, IMAGE_BASE + K4 - 1, 1);
	assert_int_equal(arena_table(&arena, s.root.raw)[511], pdpt);
	MAP(&s, IMAGE_BASE, RAM, IMAGE_SIZE / K4, PROT_X);
	assert_int_equal(space_unmap(&s, HHDM_BASE, 1ULL << 35, &flush), OK);
	assert_int_equal(arena_table(&arena, s.root.raw)[511], pdpt);
	space_release(&s, &flush);
	assert_int_equal(arena.used, 2);

	unpin(&s, 511);
	end_space(&s);
}

static void test_pin_there_already(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	MAP(&s, HEAP_BASE, RAM, 1, PROT_W);
	assert_int_equal(space_pin(&s, 511), OK);
	assert_int_equal(s.tables, 3);
	assert_int_equal(space_unmap(&s, HEAP_BASE, 1, &flush), OK);
	assert_int_equal(s.tables, 1);
	space_release(&s, &flush);
	unpin(&s, 511);
	end_space(&s);
}

static void test_share(void **state)
{
	struct space kernel = new_space(3), user;
	struct tlb_flush flush = TLB_FLUSH_NONE;
	size_t kernel_frames;

	(void)state;
	assert_int_equal(space_pin(&kernel, SHARED_SLOT), OK);
	MAP(&kernel, IMAGE_BASE, RAM, 512, PROT_X | PROT_GLOBAL);
	kernel_frames = arena.used;

	user = new_space(3);
	space_share(&user, &kernel, SHARED_SLOT);
	assert_int_equal(user.tables, 0);
	assert_int_equal(arena.used, kernel_frames + 1);
	/* What the kernel maps later is seen at once. */
	MAP(&kernel, HEAP_BASE, RAM + G1, 1, PROT_W | PROT_GLOBAL);
	MAP(&user, 0, RAM, 1, PROT_USER | PROT_W);
	assert_int_equal(user.tables, 3);
	for (int i = 0; i < 2; i++) {
		const struct space *s = i ? &user : &kernel;
		struct mapping m;

		assert_int_equal(space_lookup(s, HEAP_BASE, &m), OK);
		assert_int_equal(m.pa.raw, RAM + G1);
		assert_int_equal(space_lookup(s, IMAGE_BASE + M2 - 1, &m), OK);
		assert_int_equal(m.prot, PROT_X | PROT_GLOBAL);
	}
	/* The end of one is not the end of the other. */
	end_space(&user);
	assert_int_equal(arena.used, kernel.tables + 1);
	expect_mappings(&kernel, { HEAP_BASE, RAM + G1, K4, 1, PROT_W | PROT_GLOBAL },
			{ IMAGE_BASE, RAM, M2, 1, PROT_X | PROT_GLOBAL });
	assert_int_equal(space_unmap(&kernel, HEAP_BASE, (HEAP_SIZE + IMAGE_SIZE) / K4, &flush), OK);
	space_release(&kernel, &flush);
	unpin(&kernel, SHARED_SLOT);
	end_space(&kernel);
}

/* ---- clear ---- */

static void fill(struct space *s)
{
	MAP(s, 0, RAM, 3, PROT_USER);
	MAP(s, 5 * G1, RAM, G1 / K4, PROT_USER | PROT_W);
	MAP(s, 1ULL << 46, RAM + M2, 512 + 3, PROT_USER);
	MAP(s, HHDM_BASE, 0, 4 * G1 / K4 + 7, PROT_W);
	MAP(s, -M2, RAM, 512, PROT_X);
}

static void test_clear(void **state)
{
	struct space s = new_space(3);

	(void)state;
	fill(&s);
	space_clear(&s, 0, 256);
	expect_mappings(&s, { HHDM_BASE, 0, G1, 4, PROT_W }, { HHDM_BASE + 4 * G1, 4 * G1, K4, 7, PROT_W },
			{ -M2, RAM, M2, 1, PROT_X });
	space_clear(&s, 0, 256);
	space_clear(&s, 256, 511);
	expect_mappings(&s, { -M2, RAM, M2, 1, PROT_X });
	space_clear(&s, 300, 300);
	expect_mappings(&s, { -M2, RAM, M2, 1, PROT_X });
	end_space(&s);
	assert_int_equal(s.tables, 0);
}

/* ---- adopt and visit ---- */

static void test_adopt(void **state)
{
	struct space built = new_space(2), s;
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	fill(&built);
	space_adopt(&s, built.root, &arena_ops, &arena, arena_direct(&arena), 3);
	assert_int_equal(s.tables, built.tables);
	assert_int_equal(s.max_leaf, 3);
	assert_int_equal(space_unmap(&s, 0, 1ULL << 35, &flush), OK);
	space_release(&s, &flush);
	expect_mappings(&s, { HHDM_BASE, 0, M2, 4 * 512, PROT_W }, { HHDM_BASE + 4 * G1, 4 * G1, K4, 7, PROT_W },
			{ -M2, RAM, M2, 1, PROT_X });
	end_space(&s);
}

struct seen {
	struct mapping leaves[64];
	struct {
		uint64_t pa, va;
		int level;
	} tables[64];
	size_t leaf_count, table_count;
	size_t stop_after; /* visits that return true */
};

static bool see_leaf(void *ctx, const struct mapping *m)
{
	struct seen *seen = ctx;

	seen->leaves[seen->leaf_count++] = *m;
	return seen->stop_after-- > 1;
}

static bool see_table(void *ctx, paddr_t pa, int level, vaddr_t va)
{
	struct seen *seen = ctx;

	arena_table(&arena, pa.raw);
	seen->tables[seen->table_count].pa = pa.raw;
	seen->tables[seen->table_count].va = va;
	seen->tables[seen->table_count++].level = level;
	return seen->stop_after-- > 1;
}

static void expect_seen(const struct seen *seen, size_t i, uint64_t va, uint64_t pa, int level, enum page_prot prot)
{
	assert_true(i < seen->leaf_count);
	assert_int_equal(seen->leaves[i].va, va);
	assert_int_equal(seen->leaves[i].pa.raw, pa);
	assert_int_equal(seen->leaves[i].level, level);
	assert_int_equal(seen->leaves[i].prot, prot);
}

static void test_visit(void **state)
{
	struct space s = new_space(3);
	struct seen seen = { .stop_after = SIZE_MAX };
	struct space_visitor v = { .leaf = see_leaf, .table = see_table, .ctx = &seen };

	(void)state;
	fill(&s);
	assert_true(space_visit(&s, 0, ~0ULL, &v));
	assert_int_equal(seen.leaf_count, 3 + 1 + 1 + 3 + 4 + 7 + 1);
	expect_seen(&seen, 0, 0, RAM, 1, PROT_USER);
	expect_seen(&seen, 3, 5 * G1, RAM, 3, PROT_USER | PROT_W);
	expect_seen(&seen, 4, 1ULL << 46, RAM + M2, 2, PROT_USER);
	expect_seen(&seen, 8, HHDM_BASE, 0, 3, PROT_W);
	expect_seen(&seen, 19, -M2, RAM, 2, PROT_X);
	assert_int_equal(seen.table_count, s.tables);
	/* Each table before what it holds, with the level of its entries and its first address. */
	assert_int_equal(seen.tables[0].level, 3);
	assert_int_equal(seen.tables[1].level, 2);
	assert_int_equal(seen.tables[2].level, 1);
	assert_int_equal(seen.tables[2].va, 0);
	assert_int_equal(seen.tables[s.tables - 1].level, 2);
	assert_int_equal(seen.tables[s.tables - 1].va, -G1);

	/* Ranges reach the leaf around their first and last byte, and nothing beyond. */
	seen = (struct seen){ .stop_after = SIZE_MAX };
	v.table = NULL;
	assert_true(space_visit(&s, 5 * G1 + 12345, HHDM_BASE + 17, &v));
	assert_int_equal(seen.leaf_count, 1 + 1 + 3 + 1);
	expect_seen(&seen, 0, 5 * G1, RAM, 3, PROT_USER | PROT_W);
	expect_seen(&seen, 5, HHDM_BASE, 0, 3, PROT_W);
	seen.leaf_count = 0;
	assert_true(space_visit(&s, K4, 2 * K4 - 1, &v));
	assert_int_equal(seen.leaf_count, 1);
	expect_seen(&seen, 0, K4, RAM + K4, 1, PROT_USER);
	/* Inside the hole there is nothing. */
	assert_true(space_visit(&s, 0x0000800000000000, 0xffff7fffffffffff, &v));
	assert_int_equal(seen.leaf_count, 1);
	end_space(&s);
}

static bool see_run(void *ctx, const struct mapping *m, size_t count)
{
	struct seen *seen = ctx;
	struct mapping one = *m;

	seen->table_count++;
	for (size_t i = 0; i < count; i++) {
		seen->leaves[seen->leaf_count++] = one;
		one.va += level_size(m->level);
		one.pa = paddr_add(one.pa, level_size(m->level));
	}
	return seen->stop_after-- > 1;
}

/* Joined to runs, the leaves are the same; a run ends where memory does not go on, and at other rights or levels. */
static void test_visit_runs(void **state)
{
	static const size_t reach[][2] = { { 0, ~0ULL }, { HHDM_BASE + 4 * G1 + 1, HHDM_BASE + 4 * G1 + 3 * K4 } };
	struct space s = new_space(3);

	(void)state;
	fill(&s);
	/* The CPU has used one of seven neighbours: they still are one run. */
	space_find(&s, HHDM_BASE + 4 * G1 + 2 * K4).pte->raw |= PTE_ACCESSED | PTE_DIRTY;
	for (size_t i = 0; i < 2; i++) {
		struct seen leaves = { .stop_after = SIZE_MAX }, runs = leaves;

		assert_true(space_visit(&s, reach[i][0], reach[i][1],
					&(struct space_visitor){ .leaf = see_leaf, .ctx = &leaves }));
		assert_true(space_visit(&s, reach[i][0], reach[i][1],
					&(struct space_visitor){ .leaves = see_run, .ctx = &runs }));
		assert_int_equal(runs.leaf_count, leaves.leaf_count);
		assert_memory_equal(runs.leaves, leaves.leaves, leaves.leaf_count * sizeof(leaves.leaves[0]));
		assert_true(runs.table_count < leaves.leaf_count);
		if (i == 1)
			assert_int_equal(runs.table_count, 1);
	}
	/* Another frame in the middle: three runs. */
	space_find(&s, HHDM_BASE + 4 * G1 + 2 * K4).pte->raw += K4;
	{
		struct seen runs = { .stop_after = SIZE_MAX };

		assert_true(space_visit(&s, HHDM_BASE + 4 * G1, HHDM_BASE + 5 * G1 - 1,
					&(struct space_visitor){ .leaves = see_run, .ctx = &runs }));
		assert_int_equal(runs.table_count, 3);
		assert_int_equal(runs.leaf_count, 7);
	}
	end_space(&s);
}

/* Stopped at the n-th call, a visit makes no further one. */
static void test_visit_stops(void **state)
{
	struct space s = new_space(3);
	size_t calls = 3 + 1 + 1 + 3 + 4 + 7 + 1;

	(void)state;
	fill(&s);
	calls += s.tables;
	for (size_t n = 1; n <= calls + 1; n++) {
		struct seen seen = { .stop_after = n };
		struct space_visitor v = { .leaf = see_leaf, .table = see_table, .ctx = &seen };

		assert_int_equal(space_visit(&s, 0, ~0ULL, &v), n > calls);
		assert_int_equal(seen.leaf_count + seen.table_count, n < calls ? n : calls);
	}
	end_space(&s);
}

/* ---- the n-th frame refused ---- */

static enum status do_map(struct space *s, struct tlb_flush *flush)
{
	(void)flush;
	/* Needs tables of every level, at both ends and between. */
	return space_map(s, HEAP_BASE + 3 * G1 - 3 * K4, paddr(RAM - 3 * K4), 3 + 2 * (G1 / K4) + 5 * 512 + 9, PROT_W);
}

static enum status do_map_small(struct space *s, struct tlb_flush *flush)
{
	(void)flush;
	return space_map(s, USER_SIZE / 4, paddr(RAM), 1, PROT_USER);
}

static enum status do_unmap(struct space *s, struct tlb_flush *flush)
{
	return space_unmap(s, HHDM_BASE + M2 + K4, 2 * G1 / K4, flush);
}

static enum status do_unmap_inside(struct space *s, struct tlb_flush *flush)
{
	return space_unmap(s, HHDM_BASE + M2 + K4, 512, flush);
}

static enum status do_protect(struct space *s, struct tlb_flush *flush)
{
	return space_protect(s, HHDM_BASE + M2 + K4, 3 * G1 / K4, PROT_R, flush);
}

static enum status do_protect_inside(struct space *s, struct tlb_flush *flush)
{
	return space_protect(s, HHDM_BASE + M2 + K4, 5, PROT_R, flush);
}

static enum status do_split(struct space *s, struct tlb_flush *flush)
{
	return space_split(s, HHDM_BASE + G1 + 77, 1, flush);
}

static enum status do_pin(struct space *s, struct tlb_flush *flush)
{
	(void)flush;
	return space_pin(s, 300);
}

static void refuse_each(enum status (*operation)(struct space *s, struct tlb_flush *flush), size_t frames)
{
	struct space s = new_space(3);

	fill(&s);
	for (size_t n = 0;; n++) {
		size_t used = arena.used, tables = s.tables;
		struct tlb_flush flush = TLB_FLUSH_NONE;
		enum status status;

		arena.fail_after = n;
		status = operation(&s, &flush);
		arena.fail_after = SIZE_MAX;
		if (status == OK) {
			assert_int_equal(n, frames);
			space_release(&s, &flush);
			break;
		}
		assert_int_equal(status, ERR_NO_MEMORY);
		assert_int_equal(arena.used, used);
		assert_int_equal(s.tables, tables);
		expect_no_flush(&flush);
		expect_mappings(&s, { 0, RAM, K4, 3, PROT_USER }, { 5 * G1, RAM, G1, 1, PROT_USER | PROT_W },
				{ 1ULL << 46, RAM + M2, M2, 1, PROT_USER },
				{ (1ULL << 46) + M2, RAM + 2 * M2, K4, 3, PROT_USER }, { HHDM_BASE, 0, G1, 4, PROT_W },
				{ HHDM_BASE + 4 * G1, 4 * G1, K4, 7, PROT_W }, { -M2, RAM, M2, 1, PROT_X });
	}
	/* Whatever it did, all of it can be taken down. */
	unpin(&s, 300);
	end_space(&s);
	assert_int_equal(arena.used, 0);
}

static void test_refused_frames(void **state)
{
	(void)state;
	refuse_each(do_map, 4);
	refuse_each(do_map_small, 3);
	refuse_each(do_unmap, 4);
	refuse_each(do_unmap_inside, 3);
	refuse_each(do_protect, 4);
	refuse_each(do_protect_inside, 2);
	refuse_each(do_split, 2);
	refuse_each(do_pin, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_arena, check_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_init_fails),     TEST(test_pin),         TEST(test_pin_there_already),
		TEST(test_share),          TEST(test_clear),       TEST(test_adopt),
		TEST(test_visit),          TEST(test_visit_stops), TEST(test_visit_runs),
		TEST(test_refused_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
