/*
 * space_unmap, space_protect and space_split: every leaf size, every way to cut it, the duty they leave.
 */
#include "paging/layout.h"
#include "test/host/paging_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define RAM 0x1234500000000ULL
#define AT  HEAP_BASE

#define MAP(s, va, pa, pages, prot) assert_int_equal(space_map(s, va, paddr(pa), pages, prot), OK)

/* Ends of a range inside 2 GiB; each range that they make is tried on each leaf size. */
static const uint64_t edges[] = { 0, K4, M2 - K4, M2, 3 * M2 + 5 * K4, G1 - M2, G1 - K4, G1, G1 + K4, G1 + M2, 2 * G1 };
#define EDGES (sizeof(edges) / sizeof(edges[0]))

/* The size of the leaf around `at`, of `size` until the range [start, end) cut it. */
static uint64_t size_at(uint64_t at, uint64_t size, uint64_t start, uint64_t end)
{
	/* Down while the leaf around `at` has an end of the range inside. */
	while (size > K4) {
		uint64_t low = align_down(at, size), high = low + size;

		if (!(low < start && start < high) && !(low < end && end < high))
			break;
		size /= 512;
	}
	return size;
}

/* A long list: one buffer for all. */
static struct expected expected[1 << 14];

/* The list that must result when [start, end) of `span` bytes in leaves of `size` is unmapped or gets `prot`. */
static size_t expected_after(uint64_t span, uint64_t size, uint64_t start, uint64_t end, bool unmap,
			     enum page_prot prot)
{
	size_t count = 0;

	for (uint64_t at = 0; at < span;) {
		uint64_t leaf = size_at(at, size, start, end);
		bool inside = at >= start && at < end;

		if (!(inside && unmap))
			expected[count++] = (struct expected){ AT + at, RAM + at, leaf, 1, inside ? prot : PROT_W };
		at += leaf;
	}
	return count;
}

static void every_cut(bool unmap, uint64_t size)
{
	/* 2 GiB by the page would be a list too long for every cut. */
	const uint64_t span = size == K4 ? 8 * M2 : 2 * G1;

	for (size_t i = 0; i < EDGES * EDGES; i++) {
		uint64_t start = edges[i / EDGES], end = edges[i % EDGES];
		struct tlb_flush flush = TLB_FLUSH_NONE;
		struct space s;
		size_t count, elsewhere = 0;

		if (start >= end || end > span)
			continue;
		s = new_space(size == G1 ? 3 : size == M2 ? 2 : 1);
		MAP(&s, AT, RAM, span / K4, PROT_W);
		if (unmap)
			assert_int_equal(space_unmap(&s, AT + start, (end - start) / K4, &flush), OK);
		else
			assert_int_equal(space_protect(&s, AT + start, (end - start) / K4, PROT_X, &flush), OK);
		for (paddr_t t = flush.tables; t.raw; t.raw = *arena_table(&arena, t.raw))
			elsewhere++;
		count = expected_after(span, size, start, end, unmap, PROT_X);
		expect_leaves(&s, expected, count, elsewhere, __FILE__, __LINE__);
		assert_true(flush.start <= AT + start && flush.start >= align_down(AT + start, size));
		assert_true(flush.last >= AT + end - 1 && flush.last <= align_up(AT + end, size) - 1);
		space_release(&s, &flush);
		expect_leaves(&s, expected, count, 0, __FILE__, __LINE__);
		end_space(&s);
	}
}

static void test_unmap_cuts_1g(void **state)
{
	(void)state;
	every_cut(true, G1);
}

static void test_unmap_cuts_2m(void **state)
{
	(void)state;
	every_cut(true, M2);
}

static void test_unmap_cuts_4k(void **state)
{
	(void)state;
	every_cut(true, K4);
}

static void test_protect_cuts_1g(void **state)
{
	(void)state;
	every_cut(false, G1);
}

static void test_protect_cuts_2m(void **state)
{
	(void)state;
	every_cut(false, M2);
}

static void test_protect_cuts_4k(void **state)
{
	(void)state;
	every_cut(false, K4);
}

static void test_unmap_holes(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	MAP(&s, AT + 2 * K4, RAM, 3, PROT_W);
	MAP(&s, AT + 5 * G1, RAM, 1, PROT_W);
	MAP(&s, AT + 9 * G1, RAM, G1 / K4, PROT_W);
	MAP(&s, AT + 20 * G1, RAM, 1, PROT_R);
	assert_int_equal(space_unmap(&s, AT, 10 * G1 / K4, &flush), OK);
	expect_mappings_beside(&s, 4, { AT + 20 * G1, RAM, K4, 1, PROT_R });
	assert_int_equal(flush.leaves, 5);
	assert_false(flush.global);
	space_release(&s, &flush);
	/* Again: nothing is there, nothing to do. */
	assert_int_equal(space_unmap(&s, AT, 10 * G1 / K4, &flush), OK);
	expect_no_flush(&flush);
	expect_mappings(&s, { AT + 20 * G1, RAM, K4, 1, PROT_R });
	end_space(&s);
}

/* Tables that become empty are no longer in the tree, hold nothing but the chain, and go back on release only. */
static void test_freed_tables(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;
	size_t chained = 0;

	(void)state;
	MAP(&s, 0, RAM, 1, PROT_USER);
	MAP(&s, -K4, RAM, 1, PROT_R);
	assert_int_equal(s.tables, 6);
	assert_int_equal(space_unmap(&s, 0, 1, &flush), OK);
	assert_int_equal(space_unmap(&s, -K4, 1, &flush), OK);
	assert_int_equal(s.tables, 0);
	assert_int_equal(arena.used, 1 + 6);
	for (paddr_t t = flush.tables; t.raw; t.raw = *arena_table(&arena, t.raw), chained++)
		for (int i = 1; i < 512; i++)
			assert_int_equal(arena_table(&arena, t.raw)[i], 0);
	assert_int_equal(chained, 6);
	/* One flush for both. */
	expect_flush(&s, &flush, 0, ~0ULL, 2);
	expect_no_mapping(&s);
	end_space(&s);
}

/* A neighbour anywhere in the table keeps it. */
static void test_neighbours_keep(void **state)
{
	static const uint64_t places[] = { 0, 1, 254, 255, 257, 258, 510, 511 };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct space s = new_space(1);
		struct tlb_flush flush = TLB_FLUSH_NONE;

		MAP(&s, AT + 256 * K4, RAM, 1, PROT_R);
		MAP(&s, AT + places[i] * K4, RAM, 1, PROT_R);
		assert_int_equal(space_unmap(&s, AT + 256 * K4, 1, &flush), OK);
		expect_mappings(&s, { AT + places[i] * K4, RAM, K4, 1, PROT_R });
		expect_flush(&s, &flush, AT + 256 * K4, AT + 257 * K4 - 1, 1);
		end_space(&s);
	}
}

static void test_protect(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	MAP(&s, AT, RAM, 3, PROT_W);
	MAP(&s, AT + M2, RAM + M2, 512, PROT_W | PROT_GLOBAL);
	assert_int_equal(space_protect(&s, AT, 1024, PROT_R | PROT_UC, &flush), OK);
	expect_mappings(&s, { AT, RAM, K4, 3, PROT_UC }, { AT + M2, RAM + M2, M2, 1, PROT_UC });
	assert_true(flush.global);
	expect_flush(&s, &flush, AT, AT + 2 * M2 - 1, 4);
	/* The same again changes nothing, and a large leaf that has its rights is not even split. */
	assert_int_equal(space_protect(&s, AT, 1024, PROT_R | PROT_UC, &flush), OK);
	assert_int_equal(space_protect(&s, AT + M2 + K4, 1, PROT_R | PROT_UC, &flush), OK);
	expect_mappings(&s, { AT, RAM, K4, 3, PROT_UC }, { AT + M2, RAM + M2, M2, 1, PROT_UC });
	expect_no_flush(&flush);
	/* Nor is anything mapped where nothing was. */
	assert_int_equal(space_protect(&s, AT + G1, G1 / K4, PROT_X, &flush), OK);
	expect_no_flush(&flush);
	end_space(&s);
}

/* Neighbours with different rights: those that have the new ones already are left alone and not counted. */
static void test_protect_mixed(void **state)
{
	struct space s = new_space(1);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	for (uint64_t i = 0; i < 512; i++)
		if (i % 37 != 5)
			MAP(&s, AT + i * K4, RAM + i * K4, 1, i % 5 ? PROT_W : i % 3 ? PROT_R : PROT_X);
	assert_int_equal(space_protect(&s, AT, 512, PROT_R, &flush), OK);
	for (uint64_t i = 0; i < 512; i++) {
		struct mapping m;

		if (i % 37 == 5)
			continue;
		assert_int_equal(space_lookup(&s, AT + i * K4, &m), OK);
		assert_int_equal(m.pa.raw, RAM + i * K4);
		assert_int_equal(m.prot, PROT_R);
		flush.leaves -= i % 5 != 0 || i % 3 == 0;
	}
	assert_int_equal(flush.leaves, 0);
	end_space(&s);
}

static void test_refused(void **state)
{
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	MAP(&s, AT, RAM, G1 / K4, PROT_W);
	MAP(&s, 0, RAM, 1, PROT_W);
	assert_int_equal(space_protect(&s, AT + K4, 1, PROT_W | PROT_X, &flush), ERR_RIGHTS);
	assert_int_equal(space_protect(&s, AT + K4, 1, PROT_USER, &flush), ERR_RIGHTS);
	assert_int_equal(space_protect(&s, AT + 1, 1, PROT_R, &flush), ERR_RANGE);
	assert_int_equal(space_protect(&s, AT, 0, PROT_R, &flush), ERR_RANGE);
	assert_int_equal(space_protect(&s, 0, (1ULL << 35) + 1, PROT_R, &flush), ERR_RANGE);
	assert_int_equal(space_unmap(&s, AT + 1, 1, &flush), ERR_RANGE);
	assert_int_equal(space_unmap(&s, AT, 0, &flush), ERR_RANGE);
	assert_int_equal(space_unmap(&s, -K4, 2, &flush), ERR_RANGE);
	assert_int_equal(space_unmap(&s, 0x0000800000000000, 1, &flush), ERR_RANGE);
	assert_int_equal(space_unmap(&s, 0, ~0ULL, &flush), ERR_RANGE);
	assert_int_equal(space_split(&s, AT, 0, &flush), ERR_RANGE);
	assert_int_equal(space_split(&s, AT, 4, &flush), ERR_RANGE);
	assert_int_equal(space_split(&s, 0x0000800000000000, 1, &flush), ERR_RANGE);
	assert_int_equal(space_split(&s, K4, 1, &flush), ERR_NOT_FOUND);
	expect_no_flush(&flush);
	expect_mappings(&s, { 0, RAM, K4, 1, PROT_W }, { AT, RAM, G1, 1, PROT_W });
	end_space(&s);
}

static void test_split(void **state)
{
	const enum page_prot prot = PROT_W | PROT_WC | PROT_GLOBAL;
	struct space s = new_space(3);
	struct tlb_flush flush = TLB_FLUSH_NONE;

	(void)state;
	MAP(&s, -2 * G1, RAM, 2 * G1 / K4, prot);
	assert_int_equal(space_split(&s, -1, 3, &flush), OK);
	expect_no_flush(&flush);
	assert_int_equal(space_split(&s, -1, 2, &flush), OK);
	expect_mappings(&s, { -2 * G1, RAM, G1, 1, prot }, { -G1, RAM + G1, M2, 512, prot });
	assert_true(flush.global);
	expect_flush(&s, &flush, -G1, ~0ULL, 1);
	assert_int_equal(space_split(&s, -1, 1, &flush), OK);
	expect_mappings(&s, { -2 * G1, RAM, G1, 1, prot }, { -G1, RAM + G1, M2, 511, prot },
			{ -M2, RAM + 2 * G1 - M2, K4, 512, prot });
	expect_flush(&s, &flush, -M2, ~0ULL, 1);
	/* Down two levels at once, around an address in the middle. */
	assert_int_equal(space_split(&s, -2 * G1 + 7 * M2 + 12345, 1, &flush), OK);
	expect_mappings(&s, { -2 * G1, RAM, M2, 7, prot }, { -2 * G1 + 7 * M2, RAM + 7 * M2, K4, 512, prot },
			{ -2 * G1 + 8 * M2, RAM + 8 * M2, M2, 504, prot }, { -G1, RAM + G1, M2, 511, prot },
			{ -M2, RAM + 2 * G1 - M2, K4, 512, prot });
	expect_flush(&s, &flush, -2 * G1, -G1 - 1, 2);
	end_space(&s);
}

/* The last pages of each half: an end of 2^47 or 2^64 cuts nothing. */
static void test_ends(void **state)
{
	static const uint64_t tops[] = { 1ULL << 47, 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct space s = new_space(3);
		struct tlb_flush flush = TLB_FLUSH_NONE;
		uint64_t top = tops[i];

		MAP(&s, top - G1, RAM, G1 / K4, PROT_W);
		assert_int_equal(space_protect(&s, top - K4, 1, PROT_R, &flush), OK);
		expect_mappings(&s, { top - G1, RAM, M2, 511, PROT_W }, { top - M2, RAM + G1 - M2, K4, 511, PROT_W },
				{ top - K4, RAM + G1 - K4, K4, 1, PROT_R });
		expect_flush(&s, &flush, top - G1, top - 1, 3);
		assert_int_equal(space_unmap(&s, top - M2, 512, &flush), OK);
		expect_mappings_beside(&s, 1, { top - G1, RAM, M2, 511, PROT_W });
		expect_flush(&s, &flush, top - M2, top - 1, 512);
		assert_int_equal(space_unmap(&s, top - (1ULL << 47), 1ULL << 35, &flush), OK);
		assert_int_equal(s.tables, 0);
		space_release(&s, &flush);
		expect_no_mapping(&s);
		end_space(&s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_arena, check_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unmap_cuts_1g),   TEST(test_unmap_cuts_2m),
		TEST(test_unmap_cuts_4k),   TEST(test_protect_cuts_1g),
		TEST(test_protect_cuts_2m), TEST(test_protect_cuts_4k),
		TEST(test_unmap_holes),     TEST(test_freed_tables),
		TEST(test_neighbours_keep), TEST(test_protect),
		TEST(test_protect_mixed),   TEST(test_refused),
		TEST(test_split),           TEST(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
