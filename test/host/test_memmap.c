/*
 * The memory map: single claims as pictures, hostile maps, full maps, and ten million pages claimed at random
 * against a model with one type a page. SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/memmap_model.h"
#include "test/host/random.h"

#define CLAIMED_PAGES 10000000
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))

/* With room for exactly so many ranges: the sanitizer sees one too many. */
static struct memmap new_map(size_t capacity)
{
	struct mem_range *ranges = calloc(capacity ? capacity : 1, sizeof(*ranges));

	assert_non_null(ranges);
	return (struct memmap){ ranges, 0, capacity };
}

/* ---- pictures: a letter a page, from address 0 ---- */

static const char letters[MEM_TYPES + 1] = ".ubLlanDCmrFITK"; /* in the order of enum mem_type */

static enum mem_type type_of(char letter)
{
	return (enum mem_type)(strchr(letters, letter) - letters);
}

static void add_picture(struct memmap *map, const char *picture)
{
	for (size_t i = 0, end; picture[i]; i = end) {
		for (end = i + 1; picture[end] == picture[i];)
			end++;
		if (picture[i] == '.')
			continue;
		assert_int_equal(memmap_add(map, i * PAGE_SIZE, end * PAGE_SIZE, type_of(picture[i])), OK);
	}
}

static void expect_picture(const struct memmap *map, const char *picture)
{
	struct memmap expected = new_map(64);

	/* Only appends, one range for each run of a letter. */
	add_picture(&expected, picture);
	assert_int_equal(map->count, expected.count);
	assert_memory_equal(map->ranges, expected.ranges, map->count * sizeof(map->ranges[0]));
	free(expected.ranges);
}

static void claims_meet_ranges(void **state)
{
	static const struct {
		const char *before, *claim, *after;
	} cases[] = {
		/* nothing there */
		{ "........", "..uu....", "..uu...." },
		{ "uu......", "....uu..", "uu..uu.." },
		{ "......uu", "..uu....", "..uu..uu" },
		{ "uu....uu", "...uu...", "uu.uu.uu" },
		/* neighbours */
		{ "uu......", "..uu....", "uuuu...." },
		{ "....uu..", "..uu....", "..uuuu.." },
		{ "uu..uu..", "..uu....", "uuuuuu.." },
		{ "uu..bb..", "..uu....", "uuuubb.." },
		{ "bb..uu..", "..uu....", "bbuuuu.." },
		{ "bb..LL..", "..uu....", "bbuuLL.." },
		/* the same type */
		{ "..uuuu..", "..uuuu..", "..uuuu.." },
		{ "..uuuu..", "...uu...", "..uuuu.." },
		{ "..uuuu..", "....uuu.", "..uuuuu." },
		{ "..uuuu..", ".uuu....", ".uuuuu.." },
		{ ".u.u.u..", "uuuuuuuu", "uuuuuuuu" },
		/* a higher type wins */
		{ "..uuuu..", "..bbbb..", "..bbbb.." },
		{ "..uuuu..", ".bbbbbb.", ".bbbbbb." },
		{ "uuuuuuuu", "..bbbb..", "uubbbbuu" },
		{ "uuuuuuuu", "bbbb....", "bbbbuuuu" },
		{ "uuuuuuuu", "....bbbb", "uuuubbbb" },
		{ "bbuuuuuu", "..bb....", "bbbbuuuu" },
		{ "uuuuuubb", "....bb..", "uuuubbbb" },
		{ "bbuuuubb", "..bbbb..", "bbbbbbbb" },
		{ "uuuu.uuu", "..bbbb..", "uubbbbuu" },
		/* a lower one fills what is left */
		{ "..bbbb..", "..uuuu..", "..bbbb.." },
		{ "..bbbb..", "...uu...", "..bbbb.." },
		{ "..bbbb..", "uuuuuuuu", "uubbbbuu" },
		{ "..bbbb..", "uuuu....", "uubbbb.." },
		{ "..bbbb..", "....uuuu", "..bbbbuu" },
		{ ".b.b.b..", "uuuuuuuu", "ubububuu" },
		{ ".b.b.b..", ".uuuuu..", ".bubub.." },
		{ "uubb....", "..uuuu..", "uubbuu.." },
		{ "....bbuu", "..uuuu..", "..uubbuu" },
		/* all at once */
		{ "uLu.b.au", ".bbbbbb.", "uLbbbbau" },
		{ "b.u.L.u.", "bbbbbbbb", "bbbbLbbb" },
		{ "KTIFrmCD", "uuuuuuuu", "KTIFrmCD" },
		{ "ubLanDCm", "KKKKKKKK", "KKKKKKKK" },
		{ "LLuuuuLL", ".bbbbbb.", "LLbbbbLL" },
		{ "LLLLaaaa", "..bbbb..", "LLLLaaaa" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct memmap map = new_map(64);

		add_picture(&map, cases[i].before);
		add_picture(&map, cases[i].claim);
		expect_picture(&map, cases[i].after);
		free(map.ranges);
	}
}

/* Claims in a row keep to the last range; the first one may be any. */
static void ascending_claims_append(void **state)
{
	struct memmap map = new_map(3);

	(void)state;
	assert_int_equal(memmap_add(&map, 0x5000, 0x6000, MEM_USABLE), OK);
	assert_int_equal(memmap_add(&map, 0x6000, 0x8000, MEM_USABLE), OK);
	assert_int_equal(map.count, 1);
	assert_int_equal(memmap_add(&map, 0x8000, 0x9000, MEM_RESERVED), OK);
	assert_int_equal(memmap_add(&map, 0xb000, 0xc000, MEM_USABLE), OK);
	assert_int_equal(map.count, 3);
	assert_int_equal(memmap_add(&map, 0xd000, 0xe000, MEM_USABLE), ERR_NO_MEMORY);
	assert_int_equal(memmap_add(&map, 0xc000, 0xd000, MEM_USABLE), OK);
	assert_int_equal(map.count, 3);
	assert_int_equal(map.ranges[2].end, 0xd000);
	free(map.ranges);
}

static void wrong_claims_change_nothing(void **state)
{
	static const struct {
		uint64_t start, end, type;
	} claims[] = {
		{ 0x1000, 0x1000, MEM_USABLE }, { 0x2000, 0x1000, MEM_USABLE }, { 0x1001, 0x2000, MEM_USABLE },
		{ 0x1000, 0x2fff, MEM_USABLE }, { 0, 0, MEM_USABLE },           { 0x1000, UINT64_MAX, MEM_USABLE },
		{ 0x1000, 0x2000, MEM_NONE },   { 0x1000, 0x2000, MEM_TYPES },  { 0x1000, 0x2000, UINT32_MAX },
	};
	struct memmap map = new_map(8);

	(void)state;
	for (size_t i = 0; i < COUNT(claims); i++) {
		assert_int_equal(memmap_add(&map, claims[i].start, claims[i].end, (enum mem_type)claims[i].type),
				 ERR_RANGE);
		assert_int_equal(map.count, 0);
	}
	free(map.ranges);
}

/* The ends of the number line: page 0, and the last page whose end has a name. */
static void edges_of_the_address_space(void **state)
{
	const uint64_t last = -0x1000ULL;
	struct memmap map = new_map(3);

	(void)state;
	assert_int_equal(memmap_add(&map, 0, last, MEM_USABLE), OK);
	assert_int_equal(memmap_add(&map, 0, 0x1000, MEM_RESERVED), OK);
	assert_int_equal(memmap_add(&map, last - 0x1000, last, MEM_RESERVED), OK);
	assert_int_equal(map.count, 3);
	assert_int_equal(memmap_bytes(&map, MEM_USABLE), last - 0x2000);
	assert_null(memmap_find(&map, paddr(last)));
	assert_null(memmap_find(&map, paddr(UINT64_MAX)));
	assert_ptr_equal(memmap_find(&map, paddr(last - 1)), &map.ranges[2]);
	assert_int_equal(memmap_add(&map, 0, last, MEM_RESERVED), OK);
	assert_int_equal(map.count, 1);
	free(map.ranges);
}

/* ---- hostile maps ---- */

static void claim(struct memmap *map, struct memmap_model *model, size_t first, size_t end, enum mem_type type)
{
	const char *wrong = memmap_model_claim(map, model, first, end, type);

	if (wrong)
		fail_msg("%s: pages %zu-%zu as %s, capacity %zu", wrong, first, end, mem_type_name(type),
			 map->capacity);
}

static void descending_claims(void **state)
{
	struct memmap_model model = { .types = { 0 } };
	struct memmap map = new_map(MODEL_PAGES);

	(void)state;
	for (size_t i = MODEL_PAGES; i-- > 0;)
		claim(&map, &model, i, i + 1, i % 3 ? MEM_USABLE : MEM_RESERVED);
	free(map.ranges);
}

/* Each inside the one before, first of higher and higher types, then of lower and lower ones. */
static void nested_claims(void **state)
{
	(void)state;
	for (int direction = 0; direction < 2; direction++) {
		struct memmap_model model = { .types = { 0 } };
		struct memmap map = new_map(MODEL_PAGES);

		for (size_t i = 0; i < MODEL_PAGES / 2; i++) {
			size_t type = 1 + i * (MEM_TYPES - 1) / (MODEL_PAGES / 2);

			claim(&map, &model, i, MODEL_PAGES - i, (enum mem_type)(direction ? MEM_TYPES - type : type));
		}
		free(map.ranges);
	}
}

static void the_same_again_and_again(void **state)
{
	struct memmap_model model = { .types = { 0 } };
	struct memmap map = new_map(2);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		claim(&map, &model, 10, 20, MEM_USABLE);
		claim(&map, &model, 15, 25, MEM_MMIO);
	}
	assert_int_equal(map.count, 2);
	free(map.ranges);
}

/* As many entries as the worst boards have, each over its neighbours, in an order that jumps about. */
static void many_overlapping_entries(void **state)
{
	struct memmap_model model = { .types = { 0 } };
	struct memmap map = new_map(MODEL_PAGES);

	(void)state;
	for (size_t i = 0; i < 1400; i++) {
		size_t first = i * 211 % (MODEL_PAGES - 16);

		claim(&map, &model, first, first + 1 + i % 16, (enum mem_type)(1 + i * 5 % (MEM_TYPES - 1)));
	}
	free(map.ranges);
}

/* The same claims with room for 0, 1, 2 … ranges: whatever does not fit is refused, and what follows still works. */
static void every_capacity(void **state)
{
	(void)state;
	for (size_t capacity = 0; capacity < 80; capacity++) {
		struct memmap_model model = { .types = { 0 } };
		struct memmap map = new_map(capacity);

		for (size_t i = 0; i < 400; i++) {
			size_t first = i * 37 % 80;

			claim(&map, &model, first, first + 1 + i % 9, (enum mem_type)(1 + i * 7 % (MEM_TYPES - 1)));
		}
		free(map.ranges);
	}
}

static void random_claims(void **state)
{
	struct random r = random_start("test_memmap");
	uint64_t pages = 0;

	(void)state;
	while (pages < CLAIMED_PAGES) {
		struct memmap_model model = { .types = { 0 } };
		struct memmap map = new_map(random_below(&r, 2) ? MODEL_PAGES : random_below(&r, 40));
		size_t types = 1 + random_below(&r, MEM_TYPES - 1), most = random_below(&r, 2) ? 200 : 20;

		for (uint64_t i = 1 + random_below(&r, 100); i > 0; i--) {
			size_t first = random_below(&r, MODEL_PAGES), end = first + 1 + random_below(&r, most);

			if (end > MODEL_PAGES)
				end = MODEL_PAGES;
			claim(&map, &model, first, end, (enum mem_type)(1 + random_below(&r, types)));
			pages += end - first;
		}
		free(map.ranges);
	}
}

/* ---- the rest ---- */

static void find_and_count(void **state)
{
	struct memmap map = new_map(8);

	(void)state;
	assert_null(memmap_find(&map, paddr(0)));
	add_picture(&map, ".uu.bbr.u");
	assert_null(memmap_find(&map, paddr(0xfff)));
	assert_ptr_equal(memmap_find(&map, paddr(0x1000)), &map.ranges[0]);
	assert_ptr_equal(memmap_find(&map, paddr(0x2fff)), &map.ranges[0]);
	assert_null(memmap_find(&map, paddr(0x3000)));
	assert_ptr_equal(memmap_find(&map, paddr(0x5fff)), &map.ranges[1]);
	assert_ptr_equal(memmap_find(&map, paddr(0x6000)), &map.ranges[2]);
	assert_ptr_equal(memmap_find(&map, paddr(0x8fff)), &map.ranges[3]);
	assert_null(memmap_find(&map, paddr(0x9000)));
	assert_int_equal(memmap_bytes(&map, MEM_USABLE), 0x3000);
	assert_int_equal(memmap_bytes(&map, MEM_RESERVED), 0x1000);
	assert_int_equal(memmap_bytes(&map, MEM_IMAGE), 0);
	free(map.ranges);
}

static void types_and_their_names(void **state)
{
	(void)state;
	for (unsigned type = 0; type < MEM_TYPES; type++) {
		bool ram = !strchr(".mrF", letters[type]);

		assert_int_equal(mem_type_is_ram((enum mem_type)type), ram);
		assert_true(strlen(mem_type_name((enum mem_type)type)) > 1);
		for (unsigned other = 0; other < type; other++)
			assert_string_not_equal(mem_type_name((enum mem_type)type),
						mem_type_name((enum mem_type)other));
	}
	assert_false(mem_type_is_ram(MEM_TYPES));
	assert_string_equal(mem_type_name(MEM_TYPES), "?");
	assert_string_equal(mem_type_name((enum mem_type)UINT32_MAX), "?");
}

static void check_finds_the_first_bad_range(void **state)
{
	static const struct mem_range bad[] = {
		{ 0x5000, 0x5000, MEM_USABLE }, /* empty */
		{ 0x6000, 0x5000, MEM_USABLE }, /* backwards */
		{ 0x3000, 0x6000, MEM_USABLE }, /* over the one before */
		{ 0x5000, 0x7000, MEM_USABLE }, /* over the one behind */
		{ 0x1000, 0x2000, MEM_USABLE }, /* unsorted */
		{ 0x4800, 0x5000, MEM_USABLE }, /* unaligned */
		{ 0x4000, 0x5001, MEM_USABLE }, { 0x4000, 0x5000, MEM_NONE },
		{ 0x4000, 0x5000, MEM_TYPES },  { 0x4000, 0x5000, 1ULL << 32 | MEM_USABLE },
	};
	const struct mem_range good[] = { { 0x1000, 0x4000, MEM_USABLE },
					  { 0x4000, 0x5000, MEM_RESERVED },
					  { 0x6000, 0x7000, MEM_USABLE } };
	struct mem_range ranges[3];
	struct memmap map = { ranges, 3, 3 };
	size_t index = 99;

	(void)state;
	memcpy(ranges, good, sizeof(ranges));
	assert_int_equal(memmap_check(&map, &index), OK);
	assert_int_equal(index, 99);
	for (size_t i = 0; i < COUNT(bad); i++) {
		ranges[1] = bad[i];
		assert_int_equal(memmap_check(&map, &index), ERR_FORMAT);
		/* What is wrong with two neighbours shows at the second. */
		assert_int_equal(index, bad[i].end == 0x7000 ? 2 : 1);
	}
	map.count = 0;
	assert_int_equal(memmap_check(&map, &index), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_meet_ranges),
		cmocka_unit_test(ascending_claims_append),
		cmocka_unit_test(wrong_claims_change_nothing),
		cmocka_unit_test(edges_of_the_address_space),
		cmocka_unit_test(descending_claims),
		cmocka_unit_test(nested_claims),
		cmocka_unit_test(the_same_again_and_again),
		cmocka_unit_test(many_overlapping_entries),
		cmocka_unit_test(every_capacity),
		cmocka_unit_test(random_claims),
		cmocka_unit_test(find_and_count),
		cmocka_unit_test(types_and_their_names),
		cmocka_unit_test(check_finds_the_first_bad_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
