/*
 * space_map, space_find, space_walk and space_lookup: leaf sizes, the ends of the address space, what is refused.
 */
#include "paging/layout.h"
#include "test/host/paging_expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define RAM 0x1234500000000ULL /* 1 GiB-aligned, above 4 GiB, below 2^52 */
_Static_assert(RAM % G1 == 0, "the tests count on it");

#define MAP(s, va, pa, pages, prot) assert_int_equal(space_map(s, va, paddr(pa), pages, prot), OK)

static void test_one_page(void **state)
{
	struct space s = new_space(3);

	(void)state;
	MAP(&s, HEAP_BASE, RAM, 1, PROT_W);
	expect_mappings(&s, { HEAP_BASE, RAM, K4, 1, PROT_W });
	assert_int_equal(s.tables, 3);
	end_space(&s);
}

static void test_largest_leaves(void **state)
{
	struct space s = new_space(3);
	uint64_t va = HHDM_BASE + G1 - M2 - 3 * K4, pa = RAM + G1 - M2 - 3 * K4;

	/* 3 pages, 1 large page, 2 huge pages, 2 large pages, 5 pages */
	(void)state;
	MAP(&s, va, pa, 3 + 512 + 2 * 512 * 512 + 2 * 512 + 5, PROT_W);
	expect_mappings(&s, { va, pa, K4, 3, PROT_W }, { va + 3 * K4, pa + 3 * K4, M2, 1, PROT_W },
			{ HHDM_BASE + G1, RAM + G1, G1, 2, PROT_W },
			{ HHDM_BASE + 3 * G1, RAM + 3 * G1, M2, 2, PROT_W },
			{ HHDM_BASE + 3 * G1 + 2 * M2, RAM + 3 * G1 + 2 * M2, K4, 5, PROT_W });
	assert_int_equal(s.tables, 1 + 2 + 2);
	end_space(&s);
}

static void test_leaf_limits(void **state)
{
	(void)state;
	for (int max_leaf = 1; max_leaf <= 3; max_leaf++) {
		struct space s = new_space(max_leaf);

		MAP(&s, HHDM_BASE, RAM, G1 / K4, PROT_R);
		expect_mappings(&s, { HHDM_BASE, RAM, level_size(max_leaf), G1 / level_size(max_leaf), PROT_R });
		end_space(&s);
	}
}

static void test_alignment_limits(void **state)
{
	struct space s = new_space(3);

	/* Virtual and physical addresses meet modulo 2 MiB only, then modulo 4 KiB only. */
	(void)state;
	MAP(&s, HHDM_BASE, RAM + M2, G1 / K4, PROT_R);
	MAP(&s, HHDM_BASE + G1, RAM + K4, M2 / K4, PROT_R);
	expect_mappings(&s, { HHDM_BASE, RAM + M2, M2, 512, PROT_R }, { HHDM_BASE + G1, RAM + K4, K4, 512, PROT_R });
	end_space(&s);
}

/* Every way to cut 1 GiB blocks at either end, against the rule that a leaf is the largest that fits. */
static void test_every_cut(void **state)
{
	static const uint64_t cuts[] = { 0, K4, M2 - K4, M2, M2 + K4, 3 * M2, G1 - M2 - K4, G1 - M2, G1 - K4 };
	const size_t n = sizeof(cuts) / sizeof(cuts[0]);

	(void)state;
	for (size_t i = 0; i < n * n * 3; i++) {
		struct space s = new_space(3);
		uint64_t start = cuts[i % n], end = i / n / n * G1 + cuts[i / n % n], at = start;
		struct expected expected[8192];
		size_t count = 0;

		if (start >= end) {
			end_space(&s);
			continue;
		}
		MAP(&s, IMAGE_BASE - 4 * G1 + start, RAM + start, (end - start) / K4, PROT_X);
		while (at < end) {
			uint64_t size = at % G1 == 0 && end - at >= G1 ? G1 : at % M2 == 0 && end - at >= M2 ? M2 : K4;

			expected[count++] = (struct expected){ IMAGE_BASE - 4 * G1 + at, RAM + at, size, 1, PROT_X };
			at += size;
		}
		expect_leaves(&s, expected, count, 0, __FILE__, __LINE__);
		end_space(&s);
	}
}

static void test_rights(void **state)
{
	static const enum page_prot types[] = { PROT_WB, PROT_WC, PROT_WT, PROT_UC };
	static const enum page_prot rights[] = { PROT_R, PROT_W, PROT_X };
	static const uint64_t sizes[] = { K4, M2, G1 };

	(void)state;
	for (unsigned i = 0; i < 4 * 3 * 3 * 4; i++) {
		struct space s = new_space(3);
		uint64_t size = sizes[i / 12 % 3];
		enum page_prot prot = types[i % 4] | rights[i / 4 % 3] | (i / 36 & 1 ? PROT_GLOBAL : 0) |
				      (i / 72 & 1 ? PROT_USER : 0);
		uint64_t va = prot & PROT_USER ? 5 * G1 : HEAP_BASE;
		struct mapping m;

		MAP(&s, va, RAM, size / K4, prot);
		expect_mappings(&s, { va, RAM, size, 1, prot });
		assert_int_equal(space_lookup(&s, va + size - 1, &m), OK);
		assert_int_equal(m.va, va);
		assert_int_equal(m.pa.raw, RAM);
		assert_int_equal(level_size(m.level), size);
		assert_int_equal(m.prot, prot);
		end_space(&s);
	}
}

static void test_refused_rights(void **state)
{
	struct space s = new_space(3);

	(void)state;
	assert_int_equal(space_map(&s, HEAP_BASE, paddr(RAM), 1, PROT_W | PROT_X), ERR_RIGHTS);
	assert_int_equal(space_map(&s, HEAP_BASE, paddr(RAM), 1, PROT_USER), ERR_RIGHTS);
	assert_int_equal(space_map(&s, 0, paddr(RAM), 1, PROT_USER | PROT_W | PROT_X), ERR_RIGHTS);
	expect_no_mapping(&s);
	end_space(&s);
}

static void test_refused_ranges(void **state)
{
	static const struct {
		uint64_t va, pa, pages;
	} bad[] = {
		{ HEAP_BASE + 1, RAM, 1 }, /* unaligned */
		{ HEAP_BASE, RAM + 1, 1 },
		{ HEAP_BASE, RAM, 0 },          /* nothing */
		{ 0x0000800000000000, RAM, 1 }, /* not canonical */
		{ 0xffff7ffffffff000, RAM, 1 },
		{ 0x1000000000000000, RAM, 1 },
		{ 0x00007ffffffff000, RAM, 2 }, /* into the hole, out of it, across it */
		{ 0xffff7ffffffff000, RAM, 2 },
		{ 0, 0, 1ULL << 36 },
		{ 0, 0, (1ULL << 35) + 1 },
		{ 0xfffffffffffff000, RAM, 2 }, /* past 2^64 */
		{ HHDM_BASE, 0, (1ULL << 35) + 1 },
		{ HHDM_BASE, 0, 1ULL << 52 }, /* a size in bytes of 2^64 and more */
		{ HHDM_BASE, 0, (1ULL << 52) + 1 },
		{ HHDM_BASE, 0, ~0ULL },
		{ HHDM_BASE, 1ULL << 52, 1 }, /* past the physical end */
		{ HHDM_BASE, (1ULL << 52) - K4, 2 },
		{ HHDM_BASE, ~0ULL << 12, 1 },
	};
	struct space s = new_space(3);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(space_map(&s, bad[i].va, paddr(bad[i].pa), bad[i].pages, PROT_R), ERR_RANGE);
	expect_no_mapping(&s);
	end_space(&s);
}

/* The first and the last page of each half; and each half as a whole. */
static void test_ends(void **state)
{
	struct space s = new_space(3);
	const uint64_t half = 1ULL << 47, top = (1ULL << 52) - half;

	(void)state;
	MAP(&s, 0, RAM, 1, PROT_USER);
	MAP(&s, half - K4, RAM + K4, 1, PROT_USER);
	MAP(&s, -half, RAM + 2 * K4, 1, PROT_W);
	MAP(&s, -K4, (1ULL << 52) - K4, 1, PROT_W);
	expect_mappings(&s, { 0, RAM, K4, 1, PROT_USER }, { half - K4, RAM + K4, K4, 1, PROT_USER },
			{ -half, RAM + 2 * K4, K4, 1, PROT_W }, { -K4, (1ULL << 52) - K4, K4, 1, PROT_W });
	end_space(&s);

	s = new_space(3);
	MAP(&s, 0, top, half / K4, PROT_USER);
	MAP(&s, -half, top, half / K4, PROT_X);
	assert_int_equal(s.tables, 512);
	expect_mappings(&s, { 0, top, G1, half / G1, PROT_USER }, { -half, top, G1, half / G1, PROT_X });
	end_space(&s);
}

static void test_image_range(void **state)
{
	struct space s = new_space(2);

	(void)state;
	MAP(&s, IMAGE_BASE, RAM, IMAGE_SIZE / K4, PROT_X);
	expect_mappings(&s, { IMAGE_BASE, RAM, M2, 1024, PROT_X });
	end_space(&s);

	s = new_space(2);
	MAP(&s, IMAGE_BASE + K4, RAM + K4, IMAGE_SIZE / K4 - 1, PROT_X);
	expect_mappings(&s, { IMAGE_BASE + K4, RAM + K4, K4, 511, PROT_X },
			{ IMAGE_BASE + M2, RAM + M2, M2, 1023, PROT_X });
	end_space(&s);
}

/* What is there already stays, whatever its size and wherever in the range it lies. */
static void test_exists(void **state)
{
	static const uint64_t sizes[] = { K4, M2, G1 };
	static const uint64_t places[] = { 0, M2 - K4, 5 * M2 + 7 * K4, G1 - K4, G1, 2 * G1, 3 * G1 - K4 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t k = 0; k < sizeof(places) / sizeof(places[0]); k++) {
			struct space s = new_space(3);
			uint64_t there = MMIO_BASE + align_down(places[k], sizes[i]);

			MAP(&s, there, RAM, sizes[i] / K4, PROT_R);
			assert_int_equal(space_map(&s, MMIO_BASE, paddr(0), 3 * G1 / K4, PROT_W), ERR_EXISTS);
			assert_int_equal(space_map(&s, MMIO_BASE + places[k], paddr(0), 1, PROT_W), ERR_EXISTS);
			assert_int_equal(space_map(&s, there, paddr(RAM), sizes[i] / K4, PROT_R), ERR_EXISTS);
			expect_mappings(&s, { there, RAM, sizes[i], 1, PROT_R });
			end_space(&s);
		}
}

/* Gaps between what is there are filled to the page, with the tables that are there. */
static void test_neighbours(void **state)
{
	struct space s = new_space(3);

	(void)state;
	MAP(&s, HEAP_BASE + 2 * K4, RAM, 1, PROT_R);
	MAP(&s, HEAP_BASE, RAM + 8 * M2, 2, PROT_W);
	MAP(&s, HEAP_BASE + 3 * K4, RAM + M2 + 3 * K4, 512 - 3 + 512, PROT_X);
	expect_mappings(&s, { HEAP_BASE, RAM + 8 * M2, K4, 2, PROT_W }, { HEAP_BASE + 2 * K4, RAM, K4, 1, PROT_R },
			{ HEAP_BASE + 3 * K4, RAM + M2 + 3 * K4, K4, 512 - 3, PROT_X },
			{ HEAP_BASE + M2, RAM + 2 * M2, M2, 1, PROT_X });
	assert_int_equal(s.tables, 3);
	end_space(&s);
}

static void test_places(void **state)
{
	struct space s = new_space(3);
	struct slot path[4], slot;
	struct mapping m = { .va = 1 };

	(void)state;
	MAP(&s, HEAP_BASE, RAM, 1, PROT_R);
	MAP(&s, HEAP_BASE + M2, RAM + M2, 512, PROT_R);
	assert_int_equal(space_walk(&s, HEAP_BASE + 4095, path), 4);
	assert_int_equal(path[3].level, 1);
	assert_ptr_equal(path[3].pte, space_find(&s, HEAP_BASE).pte);
	assert_int_equal(pte_paddr(*path[3].pte, 1).raw, RAM);
	for (int i = 0; i < 3; i++)
		assert_true(pte_is_table(*path[i].pte, path[i].level));
	assert_int_equal(path[0].level, 4);

	assert_int_equal(space_walk(&s, HEAP_BASE + M2, path), 3);
	assert_int_equal(space_find(&s, HEAP_BASE + M2).level, 2);
	/* Not mapped: the place where the leaf would go. */
	slot = space_find(&s, HEAP_BASE + K4);
	assert_int_equal(slot.level, 1);
	assert_int_equal(slot.pte->raw, 0);
	assert_int_equal(space_find(&s, HEAP_BASE + 2 * M2).level, 2);
	assert_int_equal(space_find(&s, 0).level, 4);
	assert_int_equal(space_lookup(&s, HEAP_BASE + K4, &m), ERR_NOT_FOUND);
	/* No place at all. */
	assert_int_equal(space_walk(&s, 0x0000800000000000, path), 0);
	assert_null(space_find(&s, 0xffff7fffffffffff).pte);
	assert_int_equal(space_find(&s, 0xffff7fffffffffff).level, 0);
	assert_int_equal(space_lookup(&s, 0x0000800000000000, &m), ERR_NOT_FOUND);
	assert_int_equal(m.va, 1);
	end_space(&s);
}

/* Table entries restrict nothing, but that those of the upper half are not the user's. */
static void test_table_entries(void **state)
{
	static const uint64_t places[] = { 0, HHDM_BASE };
	struct space s = new_space(3);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct slot path[4];

		MAP(&s, places[i], RAM, 1, PROT_R);
		assert_int_equal(space_walk(&s, places[i], path), 4);
		for (int k = 0; k < 3; k++)
			assert_int_equal(path[k].pte->raw & ~PTE_ADDRESS,
					 PTE_PRESENT | PTE_WRITABLE | PTE_ACCESSED | (i ? 0 : PTE_USER));
	}
	end_space(&s);
}

static bool expect_read_only(void *ctx, const struct mapping *m)
{
	++*(size_t *)ctx;
	return !(m->prot & (PROT_W | PROT_X));
}

/* Rights are what all entries on the way grant, as in tables that somebody else built. */
static void test_effective_rights(void **state)
{
	struct space s = new_space(3);
	struct slot path[4];
	struct mapping m;
	size_t visited = 0;

	(void)state;
	MAP(&s, 0, RAM, 1, PROT_W | PROT_USER);
	MAP(&s, K4, RAM, 1, PROT_X | PROT_USER);
	space_walk(&s, 0, path);
	path[1].pte->raw &= ~PTE_WRITABLE;
	assert_int_equal(space_lookup(&s, 0, &m), OK);
	assert_int_equal(m.prot, PROT_USER);
	path[2].pte->raw &= ~PTE_USER;
	path[2].pte->raw |= PTE_NX;
	assert_int_equal(space_lookup(&s, K4, &m), OK);
	assert_int_equal(m.prot, PROT_R);
	expect_mappings(&s, { 0, RAM, K4, 1, PROT_R }, { K4, RAM, K4, 1, PROT_R });
	assert_true(
		space_visit(&s, 0, 2 * K4 - 1, &(struct space_visitor){ .leaf = expect_read_only, .ctx = &visited }));
	assert_int_equal(visited, 2);
	end_space(&s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fresh_arena, check_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_page),         TEST(test_largest_leaves),   TEST(test_leaf_limits),
		TEST(test_alignment_limits), TEST(test_every_cut),        TEST(test_rights),
		TEST(test_refused_rights),   TEST(test_refused_ranges),   TEST(test_ends),
		TEST(test_image_range),      TEST(test_exists),           TEST(test_neighbours),
		TEST(test_places),           TEST(test_effective_rights), TEST(test_table_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
