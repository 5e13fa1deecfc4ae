/*
 * The loader's memory code on the host: hostile firmware maps, and the tables that are built from them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/loader.h"
#include "efi/trampoline.h"
#include "paging/layout.h"
#include "paging/space.h"
#include "test/host/random.h"

#define MOST        64
#define TABLE_PAGES 4096
#define MAPS        2000

/* What the loader has beside the code under test: the page that it jumps from, and its voice. */
const char trampoline_page[4096] __attribute__((aligned(4096)));

EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format, ...)
{
	(void)l, (void)format;
	return status;
}

static struct mem_range ranges[4 * MOST];

static EFI_MEMORY_DESCRIPTOR descriptor(UINT32 type, uint64_t start, uint64_t pages, uint64_t attribute)
{
	return (EFI_MEMORY_DESCRIPTOR){
		.Type = type, .PhysicalStart = start, .NumberOfPages = pages, .Attribute = attribute
	};
}

static void expect_map(const EFI_MEMORY_DESCRIPTOR *d, size_t n, const struct mem_range *expected, size_t count)
{
	struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };

	assert_int_equal(memmap_add_firmware(&map, d, n * sizeof(*d), sizeof(*d)), OK);
	assert_int_equal(map.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(map.ranges[i].start, expected[i].start);
		assert_int_equal(map.ranges[i].end, expected[i].end);
		assert_int_equal(map.ranges[i].type, expected[i].type);
	}
}

static void test_hostile_descriptors(void **state)
{
	const uint64_t top = 1ULL << 52;
	const EFI_MEMORY_DESCRIPTOR d[] = {
		descriptor(EfiConventionalMemory, 0x200000, 0x100, EFI_MEMORY_WB),
		/* out of order, and a neighbour of one type */
		descriptor(EfiConventionalMemory, 0x100000, 0x100, EFI_MEMORY_WB),
		/* empty */
		descriptor(EfiConventionalMemory, 0x700000, 0, EFI_MEMORY_WB),
		/* the more careful claim wins where two overlap */
		descriptor(EfiRuntimeServicesData, 0x180000, 0x10, EFI_MEMORY_WB),
		/* RAM shrinks to whole pages, what is not RAM grows */
		descriptor(EfiConventionalMemory, 0x400800, 2, EFI_MEMORY_WB),
		descriptor(EfiReservedMemoryType, 0x500800, 1, 0),
		/* a type that this code does not know, and RAM that must not be cached */
		descriptor(0x80000001, 0x600000, 1, EFI_MEMORY_WB),
		descriptor(EfiConventionalMemory, 0x601000, 1, EFI_MEMORY_UC),
		/* past the end of physical addresses, and past 2^64 */
		descriptor(EfiReservedMemoryType, top - 0x1000, 0x1000000000000, 0),
		descriptor(EfiConventionalMemory, ~0xfffULL, 2, EFI_MEMORY_WB),
	};
	const struct mem_range expected[] = {
		{ 0x100000, 0x180000, MEM_USABLE },   { 0x180000, 0x190000, MEM_RUNTIME_DATA },
		{ 0x190000, 0x300000, MEM_USABLE },   { 0x401000, 0x402000, MEM_USABLE },
		{ 0x500000, 0x502000, MEM_RESERVED }, { 0x600000, 0x602000, MEM_RESERVED },
		{ top - 0x1000, top, MEM_RESERVED },
	};

	(void)state;
	expect_map(d, sizeof(d) / sizeof(d[0]), expected, sizeof(expected) / sizeof(expected[0]));
}

/* The step is what the firmware says, not the size of the structure that we know. */
static void test_descriptor_size(void **state)
{
	struct {
		EFI_MEMORY_DESCRIPTOR d;
		uint64_t more;
	} wide[2] = { { descriptor(EfiConventionalMemory, 0x1000, 1, EFI_MEMORY_WB), 7 },
		      { descriptor(EfiLoaderCode, 0x3000, 1, EFI_MEMORY_WB), 7 } };
	struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };

	(void)state;
	/* A rest that is no whole descriptor is left alone. */
	assert_int_equal(memmap_add_firmware(&map, wide, sizeof(wide) - 1, sizeof(wide[0])), OK);
	assert_int_equal(map.count, 1);
	map.count = 0;
	assert_int_equal(memmap_add_firmware(&map, wide, sizeof(wide), sizeof(wide[0])), OK);
	assert_int_equal(map.count, 2);
	assert_int_equal(map.ranges[1].start, 0x3000);
}

static void test_no_room(void **state)
{
	EFI_MEMORY_DESCRIPTOR d[4];
	struct memmap map = { .ranges = ranges, .capacity = 3 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		d[i] = descriptor(EfiConventionalMemory, i * 0x10000, 1, EFI_MEMORY_WB);
	assert_int_equal(memmap_add_firmware(&map, d, sizeof(d), sizeof(d[0])), ERR_NO_MEMORY);
}

/* ---- ACPI ---- */

/* Root, list and tables, a page each, in memory that the map may call what it likes. */
enum { ROOT, LIST, FADT, DSDT, FACS, HPET, ACPI_PAGES };

static uint8_t acpi[ACPI_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));

static uint64_t page_of(int page)
{
	return (uintptr_t)acpi[page];
}

static void put_table(int page, const char *signature, uint32_t size)
{
	memcpy(acpi[page], signature, 4);
	memcpy(acpi[page] + 4, &size, 4);
}

static void put_address(int page, size_t at, int to)
{
	uint64_t address = page_of(to);

	memcpy(acpi[page] + at, &address, 8);
}

static void build_acpi(void)
{
	memset(acpi, 0, sizeof(acpi));
	memcpy(acpi[ROOT], "RSD PTR ", 8);
	acpi[ROOT][15] = 2;
	put_address(ROOT, 24, LIST);
	put_table(LIST, "XSDT", 36 + 3 * 8);
	put_address(LIST, 36, HPET);
	put_address(LIST, 36 + 16, FADT); /* and a hole between them */
	put_table(FADT, "FACP", 276);
	put_address(FADT, 132, FACS);
	put_address(FADT, 140, DSDT);
	put_table(DSDT, "DSDT", 4096);
	put_table(FACS, "FACS", 64);
	put_table(HPET, "HPET", 56);
}

/* The pages in a range of `type` with two pages around; what each is after the walk, a letter a page. */
static void expect_kept(enum mem_type type, size_t capacity, enum status expected, const char *pages)
{
	struct memmap map = { .ranges = ranges, .capacity = capacity };

	assert_int_equal(memmap_add(&map, page_of(0) - PAGE_SIZE, page_of(ACPI_PAGES) + PAGE_SIZE, type), OK);
	assert_int_equal(loader_keep_acpi(&map, paddr(page_of(ROOT))), expected);
	for (int i = 0; pages && i < ACPI_PAGES; i++) {
		const struct mem_range *r = memmap_find(&map, paddr(page_of(i)));

		assert_non_null(r);
		assert_int_equal(r->type, pages[i] == 'a' ? MEM_ACPI_RECLAIM : type);
	}
	assert_int_equal(memmap_find(&map, paddr(page_of(0) - 1))->type, type);
	assert_int_equal(memmap_find(&map, paddr(page_of(ACPI_PAGES)))->type, type);
}

static void test_acpi_tables_stay(void **state)
{
	struct memmap none = { .ranges = ranges, .capacity = MOST };

	(void)state;
	build_acpi();
	expect_kept(MEM_USABLE, MOST, OK, "aaaaaa");
	expect_kept(MEM_BOOT_SERVICES, MOST, OK, "aaaaaa");
	expect_kept(MEM_LOADER, MOST, OK, "aaaaaa");
	/* What is more careful, or no RAM, stays what it is. */
	expect_kept(MEM_ACPI_NVS, MOST, OK, "......");
	expect_kept(MEM_RUNTIME_DATA, MOST, OK, "......");
	expect_kept(MEM_RESERVED, MOST, OK, "......");
	expect_kept(MEM_USABLE, 1, ERR_NO_MEMORY, NULL);
	assert_int_equal(loader_keep_acpi(&none, paddr(0)), OK);
	assert_int_equal(loader_keep_acpi(&none, paddr(page_of(ROOT))), OK);
	assert_int_equal(none.count, 0);

	acpi[ROOT][0] = 'X';
	expect_kept(MEM_USABLE, MOST, OK, "a.....");
	build_acpi();
	put_table(FADT, "FACP", 43);
	expect_kept(MEM_USABLE, MOST, OK, "aaa..a");
	put_table(FADT, "FACP", 147);
	expect_kept(MEM_USABLE, MOST, OK, "aaa..a");
	put_table(LIST, "XSDT", 35);
	expect_kept(MEM_USABLE, MOST, OK, "aa....");
	put_table(LIST, "XSDT", 1 << 21);
	expect_kept(MEM_USABLE, MOST, OK, "aa....");
	put_table(LIST, "RSDT", 36 + 8);
	expect_kept(MEM_USABLE, MOST, OK, "aa....");
}

/* A list that names itself, and as many tables as fit, ends. */
static void test_acpi_lists_end(void **state)
{
	(void)state;
	build_acpi();
	put_table(LIST, "XSDT", PAGE_SIZE);
	for (size_t at = 36; at + 8 <= PAGE_SIZE; at += 8)
		put_address(LIST, at, at < 36 + 64 * 8 ? LIST : HPET);
	expect_kept(MEM_USABLE, MOST, OK, "aa....");
}

/* ---- the tables ---- */

struct seen {
	const struct memmap *map;
	int max_leaf;
	uint64_t bytes;
};

/* Each leaf of the direct map: in one range of RAM, and no larger one would have fitted. */
static bool see_leaf(void *ctx, const struct mapping *m)
{
	struct seen *seen = ctx;
	const struct mem_range *r = memmap_find(seen->map, m->pa);

	assert_int_equal(m->va, HHDM_BASE + m->pa.raw);
	assert_int_equal(m->prot, PROT_W);
	assert_non_null(r);
	assert_true(mem_type_is_ram((enum mem_type)r->type));
	assert_true(m->pa.raw + level_size(m->level) <= r->end);
	if (m->level < seen->max_leaf) {
		uint64_t start = align_down(m->pa.raw, level_size(m->level + 1));
		uint64_t end = start + level_size(m->level + 1);

		assert_false(start >= r->start && end <= r->end && end <= HHDM_SIZE);
	}
	seen->bytes += level_size(m->level);
	return true;
}

static uint64_t ram_below(const struct memmap *map, uint64_t limit)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];
		uint64_t end = r->end < limit ? r->end : limit;

		if (mem_type_is_ram((enum mem_type)r->type) && r->start < end)
			bytes += end - r->start;
	}
	return bytes;
}

/* Addresses that meet at all boundaries that matter: pages, 2 MiB, 1 GiB, 512 GiB, 16 TiB. */
static uint64_t random_address(struct random *r)
{
	static const int shifts[] = { 12, 12, 21, 21, 30, 39 };
	uint64_t bits = 21 + random_below(r, 24);
	uint64_t address = random_next(r) >> (64 - bits);

	return align_down(address, 1ULL << shifts[random_below(r, 6)]);
}

static void random_map(struct random *r, struct memmap *map)
{
	map->count = 0;
	for (uint64_t n = 1 + random_below(r, MOST); n--;) {
		uint64_t start = random_address(r), end = start + PAGE_SIZE + random_address(r) / 4;

		end = align_up(end, PAGE_SIZE);
		/* Without 1 GiB pages, memory for the tables is what limits the test. */
		if (end - start > 64 * PAGE_SIZE_1G)
			end = start + 64 * PAGE_SIZE_1G;
		assert_int_equal(memmap_add(map, start, end, (enum mem_type)(1 + random_below(r, MEM_TYPES - 1))), OK);
	}
}

static void test_random_tables(void **state)
{
	struct random r = random_start("test_loader");
	void *memory = aligned_alloc(PAGE_SIZE, (TABLE_PAGES + 1) * PAGE_SIZE);
	struct space_visitor visitor = { .leaf = see_leaf };

	(void)state;
	assert_non_null(memory);
	for (int i = 0; i < MAPS; i++) {
		struct loader l = { .huge_pages = i & 1 };
		struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };
		struct seen seen = { .map = &map, .max_leaf = i & 1 ? 3 : 2 };
		struct space s = { .max_leaf = 3 };
		uint64_t bound;

		random_map(&r, &map);
		bound = loader_tables_bound(&l, &map);
		if (bound > TABLE_PAGES)
			continue;
		l.arena = (struct arena){ .start = paddr((uintptr_t)memory), .table_pages = bound };
		/* What was counted is enough, spare tables included. */
		assert_int_equal(loader_build_tables(&l, &map, &s.root), OK);
		visitor.ctx = &seen;
		assert_true(space_visit(&s, HHDM_BASE, HHDM_BASE + (HHDM_SIZE - 1), &visitor));
		assert_int_equal(seen.bytes, ram_below(&map, HHDM_SIZE));
		assert_true(space_visit(&s, MMIO_BASE, ~0ULL, &visitor));
		assert_int_equal(seen.bytes, ram_below(&map, HHDM_SIZE));
	}
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_descriptors),
		cmocka_unit_test(test_descriptor_size),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_acpi_tables_stay),
		cmocka_unit_test(test_acpi_lists_end),
		cmocka_unit_test(test_random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
