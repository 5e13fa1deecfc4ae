/*
 * The drawn maps: their lines' widths, and that each kind of memory is in them, however many ranges there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/report/map_draw.h"
#include "paging/layout.h"
#include "test/host/paging_arena.h"
#include "test/host/printed.h"

/* Cells that the line at `text` takes on a terminal: without escape sequences, one for each UTF-8 character. */
static size_t line_width(const char *text)
{
	size_t width = 0;

	for (; *text && *text != '\n'; text++) {
		if (*text == '\x1b')
			text += strcspn(text, "m");
		else
			width += ((uint8_t)*text & 0xc0) != 0x80;
	}
	return width;
}

/* Each line fits; those with a frame are all as wide as they may be. */
static void check_widths(unsigned columns)
{
	size_t most = columns < MAP_DRAW_LEAST ? MAP_DRAW_LEAST : columns > MAP_DRAW_MOST ? MAP_DRAW_MOST : columns;

	for (const char *line = printed; *line; line += strcspn(line, "\n") + 1) {
		const char *wall = strstr(line, "\u2502"), *end = line + strcspn(line, "\n");

		assert_int_equal(*end, '\n');
		assert_true(line_width(line) <= most);
		if (wall && wall < end)
			assert_int_equal(line_width(line), most);
	}
}

static size_t rows_with(const char *text)
{
	size_t rows = 0;

	for (const char *line = printed; *line; line += strcspn(line, "\n") + 1) {
		const char *found = strstr(line, text);

		rows += found && found < line + strcspn(line, "\n");
	}
	return rows;
}

static void test_memory(void **state)
{
	static struct mem_range ranges[2000];
	static const size_t counts[] = { 0, 1, 2, MEM_TYPES - 1, 60, 511, 512, 2000 };

	(void)state;
	/* A page of each type in turn, with holes of a page, and the last one large. */
	for (size_t i = 0; i < 2000; i++)
		ranges[i] = (struct mem_range){ 0x2000 * i, 0x2000 * i + 0x1000, 1 + i % (MEM_TYPES - 1) };
	ranges[1999].end += 1ULL << 40;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		const struct memmap map = { ranges, counts[i], counts[i] };

		for (unsigned columns = 0; columns < 200; columns += 13) {
			printed_clear();
			map_draw_memory(printed_keep, &map, columns);
			check_widths(columns);
			assert_in_range(rows_with("\u2502"), 1, 3);
			for (int type = MEM_NONE + 1; type < MEM_TYPES; type++)
				if ((size_t)type <= counts[i])
					assert_non_null(strstr(printed, mem_type_name((enum mem_type)type)));
		}
	}
}

/* Types that come only behind all pieces that a bar can have. */
static void test_late_types(void **state)
{
	static struct mem_range ranges[1000 + MEM_TYPES];
	const struct memmap map = { ranges, 1000 + MEM_TYPES - 1, 1000 + MEM_TYPES - 1 };

	(void)state;
	for (size_t i = 0; i < map.count; i++)
		ranges[i] = (struct mem_range){ 0x2000 * i, 0x2000 * i + 0x1000,
						i < 1000 ? MEM_USABLE : MEM_NONE + 1 + (i - 1000) };
	printed_clear();
	map_draw_memory(printed_keep, &map, 80);
	check_widths(80);
	for (int type = MEM_NONE + 1; type < MEM_TYPES; type++)
		assert_non_null(strstr(printed, mem_type_name((enum mem_type)type)));
}

/* The larger range has more of the bar, and the small one a cell. */
static void test_sizes(void **state)
{
	struct mem_range ranges[] = {
		{ 0, 0x1000, MEM_USABLE },
		{ 0x1000, 1ULL << 30, MEM_RESERVED },
	};
	const struct memmap map = { ranges, 2, 2 };
	const char *bar;
	size_t green, red;

	(void)state;
	printed_clear();
	map_draw_memory(printed_keep, &map, 80);
	bar = strstr(printed, "\u2502");
	assert_non_null(bar);
	assert_int_equal(strncmp(bar, "\u2502\x1b[32m\u2588", 3 + 5 + 3), 0);
	green = strcspn(bar + 8, "\x1b") / 3;
	red = strcspn(bar + 8 + 3 * green + 5, "\x1b") / 3;
	assert_int_equal(green, 1);
	assert_int_equal(green + red, 80 - 22 - 4 - 9);
	assert_non_null(strstr(printed, "physical memory, 4 KiB of it RAM\n"));
	assert_non_null(strstr(printed, "     1 GiB\n"));
}

static void test_space(void **state)
{
	struct arena arena;
	struct space space;

	(void)state;
	arena_init(&arena);
	assert_int_equal(space_init(&space, &arena_ops, &arena, arena_direct(&arena), 3), OK);
	assert_int_equal(space_map(&space, HHDM_BASE, paddr(0), 512, PROT_W | PROT_GLOBAL), OK);
	assert_int_equal(space_map(&space, MMIO_BASE + 0x3000, paddr(0xfee00000), 1, PROT_W | PROT_UC), OK);
	assert_int_equal(space_map(&space, MMIO_BASE + 0x5000, paddr(0xe0000000), 2, PROT_W | PROT_WC), OK);
	assert_int_equal(space_map(&space, IMAGE_BASE, paddr(0x100000), 2, PROT_X), OK);
	/* More pieces than one bar can have. */
	for (size_t i = 0; i < 600; i++)
		assert_int_equal(space_map(&space, HEAP_BASE + i * 0x2000, paddr(0x200000), 1, PROT_W), OK);
	for (unsigned columns = 64; columns <= 120; columns += 7) {
		printed_clear();
		map_draw_space(printed_keep, &space, columns);
		check_widths(columns);
		assert_int_equal(rows_with("\u2502"), 4);
		assert_int_equal(rows_with("ffff800000000000  HHDM "), 1);
		assert_int_equal(rows_with("   2 MiB"), 1);
		assert_int_equal(rows_with("   2.3 MiB"), 1);
		assert_non_null(strstr(printed, "code (r-x)"));
		assert_non_null(strstr(printed, "data (rw-)"));
		assert_non_null(strstr(printed, "devices (uncached)"));
		assert_non_null(strstr(printed, "framebuffer (WC, WT)"));
		assert_null(strstr(printed, "read only"));
		assert_null(strstr(printed, "W+X"));
	}
	arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_late_types),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_space),
	};

	return cmocka_run_group_tests_name("map_draw", tests, NULL, NULL);
}
