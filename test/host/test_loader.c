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

	assert_int_equal(memmap_add_firmware(&map, d, n * sizeof(*d), sizeof(*d), 1ULL << 52), OK);
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
	assert_int_equal(memmap_add_firmware(&map, wide, sizeof(wide) - 1, sizeof(wide[0]), 1ULL << 52), OK);
	assert_int_equal(map.count, 1);
	map.count = 0;
	assert_int_equal(memmap_add_firmware(&map, wide, sizeof(wide), sizeof(wide[0]), 1ULL << 52), OK);
	assert_int_equal(map.count, 2);
	assert_int_equal(map.ranges[1].start, 0x3000);
}

/* As Linux has them: kept from use, or only from being given away. */
static void test_special_memory(void **state)
{
	const uint64_t runtime = EFI_MEMORY_WB | EFI_MEMORY_RUNTIME, special = EFI_MEMORY_WB | 0x40000;
	const EFI_MEMORY_DESCRIPTOR d[] = {
		descriptor(EfiConventionalMemory, 0x100000, 1, special),
		descriptor(14, 0x110000, 1, EFI_MEMORY_WB), /* persistent */
		descriptor(15, 0x120000, 1, EFI_MEMORY_WB), /* unaccepted */
		descriptor(EfiBootServicesCode, 0x130000, 1, runtime),
		descriptor(EfiBootServicesData, 0x140000, 1, runtime),
		descriptor(EfiConventionalMemory, 0x150000, 1, EFI_MEMORY_UC | EFI_MEMORY_WC),
		descriptor(EfiConventionalMemory, 0x160000, 1, 0),
		descriptor(EfiConventionalMemory, 0x170000, 1, runtime),
	};
	const struct mem_range expected[] = {
		{ 0x100000, 0x101000, MEM_RESERVED },     { 0x110000, 0x111000, MEM_RESERVED },
		{ 0x120000, 0x121000, MEM_RESERVED },     { 0x130000, 0x131000, MEM_RUNTIME_CODE },
		{ 0x140000, 0x141000, MEM_RUNTIME_DATA }, { 0x150000, 0x151000, MEM_RESERVED },
		{ 0x160000, 0x161000, MEM_USABLE },       { 0x170000, 0x171000, MEM_RUNTIME_DATA },
	};

	(void)state;
	expect_map(d, sizeof(d) / sizeof(d[0]), expected, sizeof(expected) / sizeof(expected[0]));
}

/* What the CPU's addresses do not reach is not there. */
static void test_beyond_the_cpu(void **state)
{
	const EFI_MEMORY_DESCRIPTOR d[] = {
		descriptor(EfiConventionalMemory, (1ULL << 36) - 0x1000, 2, EFI_MEMORY_WB),
		descriptor(EfiConventionalMemory, 1ULL << 36, 2, EFI_MEMORY_WB),
	};
	struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };

	(void)state;
	assert_int_equal(memmap_add_firmware(&map, d, sizeof(d), sizeof(d[0]), 1ULL << 36), OK);
	assert_int_equal(map.count, 1);
	assert_int_equal(map.ranges[0].end, 1ULL << 36);
}

static void test_no_room(void **state)
{
	EFI_MEMORY_DESCRIPTOR d[4];
	struct memmap map = { .ranges = ranges, .capacity = 3 };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		d[i] = descriptor(EfiConventionalMemory, i * 0x10000, 1, EFI_MEMORY_WB);
	assert_int_equal(memmap_add_firmware(&map, d, sizeof(d), sizeof(d[0]), 1ULL << 52), ERR_NO_MEMORY);
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
	/* A table of two pages: the second has no header, and lies in what is left of the range of the first. */
	put_address(FADT, 132, DSDT);
	put_table(DSDT, "DSDT", 2 * PAGE_SIZE);
	memset(acpi[FACS], 0, PAGE_SIZE);
	expect_kept(MEM_BOOT_SERVICES, MOST, OK, "aaaaaa");
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

/* Addresses that meet at all boundaries that matter: pages, 2 MiB, 1 GiB, 512 GiB, 16 TiB, and up to 32 TiB. */
static uint64_t random_address(struct random *r)
{
	static const int shifts[] = { 12, 12, 21, 21, 30, 39 };
	uint64_t bits = 21 + random_below(r, 25);
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

/* Ranges of RAM that cross the end of the direct map, and that lie behind it. */
static void test_ram_above_16_tib(void **state)
{
	const struct mem_range above[] = {
		{ 0x100000, 0x40000000, MEM_USABLE },
		{ HHDM_SIZE - PAGE_SIZE_1G, HHDM_SIZE + PAGE_SIZE_1G, MEM_USABLE },
		{ HHDM_SIZE + PAGE_SIZE_1G, HHDM_SIZE + 2 * PAGE_SIZE_1G, MEM_RUNTIME_DATA },
		{ HHDM_SIZE + 4 * PAGE_SIZE_1G, HHDM_SIZE + 5 * PAGE_SIZE_1G, MEM_USABLE },
	};
	void *memory = aligned_alloc(PAGE_SIZE, (TABLE_PAGES + 1) * PAGE_SIZE);
	struct memmap map = { (struct mem_range *)above, 4, 4 };
	struct seen seen = { .map = &map, .max_leaf = 3 };
	struct space_visitor visitor = { .leaf = see_leaf, .ctx = &seen };
	struct space s = { .max_leaf = 3 };
	struct loader l = { .huge_pages = true };

	(void)state;
	assert_non_null(memory);
	l.arena = (struct arena){ .low = paddr((uintptr_t)memory), .table_pages = 128 };
	assert_int_equal(loader_build_tables(&l, &map, &s.root), OK);
	assert_true(space_visit(&s, HHDM_BASE, HHDM_BASE + (HHDM_SIZE - 1), &visitor));
	assert_int_equal(seen.bytes, ram_below(&map, HHDM_SIZE));
	free(memory);
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
		l.arena = (struct arena){ .low = paddr((uintptr_t)memory), .table_pages = bound };
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

/* ---- the whole map ---- */

static enum status build_memmap(struct loader *l, const EFI_MEMORY_DESCRIPTOR *d, size_t n, struct memmap *map)
{
	struct firmware_map firmware = { .descriptors = (EFI_MEMORY_DESCRIPTOR *)d,
					 .size = n * sizeof(*d),
					 .descriptor_size = sizeof(*d) };

	l->physical_bits = 52;
	l->arena = (struct arena){ .low = paddr(0x200000), .handoff = paddr(0x205000), .table_pages = 4 };
	return loader_build_memmap(l, &firmware, map);
}

static void test_low_memory(void **state)
{
	const EFI_MEMORY_DESCRIPTOR d[] = {
		descriptor(EfiBootServicesData, 0, 1, EFI_MEMORY_WB),
		descriptor(EfiConventionalMemory, 0x1000, 0x8e, EFI_MEMORY_WB),
		descriptor(EfiACPIMemoryNVS, 0x8f000, 1, EFI_MEMORY_WB),
		descriptor(EfiLoaderData, 0x90000, 0x10, EFI_MEMORY_WB),
		descriptor(EfiReservedMemoryType, 0xa0000, 0x40, 0),
		/* across the line */
		descriptor(EfiConventionalMemory, 0xe0000, 0x120, EFI_MEMORY_WB),
		descriptor(EfiLoaderData, 0x200000, 16, EFI_MEMORY_WB),
		descriptor(EfiConventionalMemory, 0x210000, 0x1000, EFI_MEMORY_WB),
	};
	const struct mem_range expected[] = {
		{ 0, 0x8f000, MEM_LOW },
		{ 0x8f000, 0x90000, MEM_ACPI_NVS },
		{ 0x90000, 0xa0000, MEM_LOW },
		{ 0xa0000, 0xe0000, MEM_RESERVED },
		{ 0xe0000, 0x100000, MEM_LOW },
		{ 0x100000, 0x200000, MEM_USABLE },
		{ 0x200000, 0x201000, MEM_LOADER },
		{ 0x201000, 0x205000, MEM_TABLES },
		{ 0x205000, 0x210000, MEM_LOADER },
		{ 0x210000, 0x1210000, MEM_USABLE },
	};
	struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };
	struct loader l = { 0 };

	(void)state;
	assert_int_equal(build_memmap(&l, d, sizeof(d) / sizeof(d[0]), &map), OK);
	assert_int_equal(map.count, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(map.ranges, expected, sizeof(expected));
}

/* A map that leaves nothing to run in is refused while there is a firmware to go back to. */
static void test_no_ram_left(void **state)
{
	EFI_MEMORY_DESCRIPTOR d[] = {
		descriptor(EfiConventionalMemory, 0x100000, 0x100, EFI_MEMORY_WB),
		descriptor(EfiLoaderData, 0x200000, 16, EFI_MEMORY_WB),
		descriptor(EfiConventionalMemory, 0x300000, 0x100, EFI_MEMORY_WB),
		descriptor(EfiReservedMemoryType, 0, 0, 0),
	};
	struct memmap map = { .ranges = ranges, .capacity = 4 * MOST };
	struct loader l = { 0 };

	(void)state;
	assert_int_equal(build_memmap(&l, d, 4, &map), OK);
	/* All of [0, 2^64); what the loader lies in; all but that. */
	d[3] = descriptor(EfiReservedMemoryType, 0, 1ULL << 52, 0);
	assert_int_equal(build_memmap(&l, d, 4, &map), ERR_NOT_FOUND);
	d[3] = descriptor(EfiReservedMemoryType, 0x200000, 1, 0);
	assert_int_equal(build_memmap(&l, d, 4, &map), ERR_NOT_FOUND);
	d[3] = descriptor(EfiReservedMemoryType, 0x210000, 1 << 20, 0);
	assert_int_equal(build_memmap(&l, d, 4, &map), OK);
	d[0].NumberOfPages = 0xff;
	assert_int_equal(build_memmap(&l, d, 4, &map), ERR_NOT_FOUND);
}

/* 5,000 entries, no two neighbours of one type, in 64 MiB. */
static void test_5000_descriptors(void **state)
{
	static EFI_MEMORY_DESCRIPTOR d[5000];
	static struct mem_range many[2 * 5000];
	struct memmap map = { .ranges = many, .capacity = 2 * 5000 };
	void *memory = aligned_alloc(PAGE_SIZE, (TABLE_PAGES + 1) * PAGE_SIZE);
	struct seen seen = { .map = &map, .max_leaf = 1 };
	struct space_visitor visitor = { .leaf = see_leaf, .ctx = &seen };
	struct space s = { .max_leaf = 3 };
	struct loader l = { .huge_pages = true };
	uint64_t bound;

	(void)state;
	assert_non_null(memory);
	for (size_t i = 0; i < 5000; i++)
		d[i] = descriptor(i & 1 ? EfiBootServicesData : EfiConventionalMemory, 0x210000 + i * 0x2000, 2,
				  EFI_MEMORY_WB);
	d[4999] = descriptor(EfiLoaderData, 0x200000, 16, EFI_MEMORY_WB);
	assert_int_equal(build_memmap(&l, d, 5000, &map), OK);
	assert_int_equal(map.count, 4999 + 3); /* the loader's entry holds tables */
	bound = loader_tables_bound(&l, &map);
	assert_in_range(bound, 1, 128);
	l.arena = (struct arena){ .low = paddr((uintptr_t)memory), .table_pages = bound };
	assert_int_equal(loader_build_tables(&l, &map, &s.root), OK);
	assert_true(space_visit(&s, HHDM_BASE, HHDM_BASE + (HHDM_SIZE - 1), &visitor));
	assert_int_equal(seen.bytes, ram_below(&map, HHDM_SIZE));
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_descriptors),
		cmocka_unit_test(test_descriptor_size),
		cmocka_unit_test(test_special_memory),
		cmocka_unit_test(test_beyond_the_cpu),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_low_memory),
		cmocka_unit_test(test_no_ram_left),
		cmocka_unit_test(test_5000_descriptors),
		cmocka_unit_test(test_acpi_tables_stay),
		cmocka_unit_test(test_acpi_lists_end),
		cmocka_unit_test(test_ram_above_16_tib),
		cmocka_unit_test(test_random_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
