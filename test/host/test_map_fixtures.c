/*
 * The loader's memory code on the maps of real machines: each file of test/host/fixtures is one. It must make of the
 * firmware's map what the machine's own report says that it made, where there is one; and that must be what the claims ask
 * for, with entries added at random, too. SEED repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/loader.h"
#include "paging/layout.h"
#include "paging/space.h"
#include "test/host/map_fixture.h"
#include "test/host/random.h"

#define ROOM        2048 /* ranges, and claims */
#define TABLE_PAGES 16384

static const struct map_fixture fixtures[] = {
#include FIXTURES
};

#define FIXTURE_COUNT (sizeof(fixtures) / sizeof(fixtures[0]))

/* What the loader has beside the code under test: the page that it jumps from, and its voice. */
const char trampoline_page[4096] __attribute__((aligned(4096)));

EFI_STATUS loader_fail(struct loader *l, EFI_STATUS status, const char *format, ...)
{
	(void)l, (void)format;
	return status;
}

static struct mem_range ranges[ROOM];

static void fill_loader(const struct map_fixture *f, struct loader *l)
{
	*l = (struct loader){ .huge_pages = f->huge_pages, .physical_bits = 52 };
	l->info.framebuffer = f->framebuffer;
	l->initrd = (struct blob){ (const uint8_t *)(uintptr_t)f->initrd, f->initrd_size };
	l->info.initrd_outside = paddr(f->outside);
	l->info.initrd_outside_size = f->outside_size;
	assert_in_range(f->segment_count, 1, BOOT_SEGMENTS);
	for (size_t i = 0; i < f->segment_count; i++) {
		const struct fixture_segment *g = &f->segments[i];

		l->info.segments[i] = (struct boot_segment){ g->va, paddr(g->pa), g->pages, g->prot };
	}
	l->info.segment_count = f->segment_count;
	/* The tables follow the one page for the trampoline. The reports do not say where the arena's other blocks lay. */
	l->arena.low = l->arena.handoff = paddr(f->tables - PAGE_SIZE);
	l->arena.table_pages = f->table_frames;
}

/* The map that today's loader makes of it; *ret_status: whether it is one to boot with. */
static struct memmap try_build(const struct map_fixture *f, struct loader *l, enum status *ret_status)
{
	struct memmap map = { .ranges = ranges, .capacity = ROOM };
	uint8_t *raw = calloc(f->descriptor_count, f->descriptor_size);
	struct firmware_map firmware = { .descriptors = (void *)raw,
					 .size = f->descriptor_count * f->descriptor_size,
					 .descriptor_size = f->descriptor_size };

	assert_non_null(raw);
	assert_true(f->descriptor_size >= sizeof(EFI_MEMORY_DESCRIPTOR));
	for (size_t i = 0; i < f->descriptor_count; i++) {
		const EFI_MEMORY_DESCRIPTOR d = { .Type = f->descriptors[i].type,
						  .PhysicalStart = f->descriptors[i].start,
						  .NumberOfPages = f->descriptors[i].pages,
						  .Attribute = f->descriptors[i].attribute };

		memcpy(raw + i * f->descriptor_size, &d, sizeof(d));
	}
	fill_loader(f, l);
	*ret_status = loader_build_memmap(l, &firmware, &map);
	free(raw);
	return map;
}

static struct memmap build(const struct map_fixture *f, struct loader *l)
{
	enum status status;
	struct memmap map = try_build(f, l, &status);

	assert_int_equal(status, OK);
	return map;
}

static void expect_range(const struct map_fixture *f, const struct mem_range *found, const struct mem_range *wanted)
{
	if (memcmp(found, wanted, sizeof(*found)) != 0)
		fail_msg("%s: found [%#llx, %#llx) %s, the report has [%#llx, %#llx) %s", f->name,
			 (unsigned long long)found->start, (unsigned long long)found->end,
			 mem_type_name((enum mem_type)found->type), (unsigned long long)wanted->start,
			 (unsigned long long)wanted->end, mem_type_name((enum mem_type)wanted->type));
}

static void maps_are_as_reported(void **state)
{
	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT; n++) {
		const struct map_fixture *f = &fixtures[n];
		struct loader l;
		struct memmap map = build(f, &l);
		size_t bad;

		assert_int_equal(memmap_check(&map, &bad), OK);
		/* Maps from other systems' logs come without what a loader of ours made of them. */
		if (!f->range_count)
			continue;
		for (size_t i = 0; i < map.count && i < f->range_count; i++)
			expect_range(f, &map.ranges[i], &f->ranges[i]);
		assert_int_equal(map.count, f->range_count);
		assert_int_equal(l.info.hhdm_excess, f->excess);
	}
}

/* ---- the claims, piece by piece ---- */

static struct mem_range claims[ROOM];
static size_t claim_count;

static void claim(uint64_t start, uint64_t end, enum mem_type type)
{
	assert_true(claim_count < ROOM);
	if (start < end)
		claims[claim_count++] = (struct mem_range){ start, end, type };
}

/* UEFI 2.10, "Memory Type Usage after ExitBootServices()"; what is not here is reserved. */
static enum mem_type firmware_type(const struct fixture_descriptor *d)
{
	static const enum mem_type types[] = {
		MEM_RESERVED,     MEM_LOADER,       MEM_LOADER, MEM_BOOT_SERVICES, MEM_BOOT_SERVICES,
		MEM_RUNTIME_CODE, MEM_RUNTIME_DATA, MEM_USABLE, MEM_RESERVED,      MEM_ACPI_RECLAIM,
		MEM_ACPI_NVS,     MEM_MMIO,         MEM_MMIO,
	};
	enum mem_type type = d->type < sizeof(types) / sizeof(types[0]) ? types[d->type] : MEM_RESERVED;
	const uint64_t write_back = 8, special_purpose = 0x40000, runtime = 1ULL << 63;

	if (mem_type_is_ram(type) && d->attribute && !(d->attribute & write_back))
		return MEM_RESERVED;
	if (d->type == 7 && d->attribute & special_purpose)
		return MEM_RESERVED;
	/* What runtime services use too is theirs: boot services and conventional memory. */
	if ((d->type == 3 || d->type == 4 || d->type == 7) && d->attribute & runtime)
		return d->type == 3 ? MEM_RUNTIME_CODE : MEM_RUNTIME_DATA;
	return type;
}

/* And what is free of the first MiB is kept back. */
static void claim_ram(uint64_t start, uint64_t end, enum mem_type type)
{
	claim(start, end, type);
	if (type < MEM_LOW)
		claim(start, end < 0x100000 ? end : 0x100000, MEM_LOW);
}

static void collect_claims(const struct map_fixture *f)
{
	const struct boot_framebuffer *fb = &f->framebuffer;
	const uint64_t top = 1ULL << 52;

	claim_count = 0;
	for (size_t i = 0; i < f->descriptor_count; i++) {
		const struct fixture_descriptor *d = &f->descriptors[i];
		enum mem_type type = firmware_type(d);
		uint64_t end;

		if (d->start >= top)
			continue;
		end = d->pages > (top - d->start) / PAGE_SIZE ? top : d->start + d->pages * PAGE_SIZE;
		if (mem_type_is_ram(type))
			claim_ram(align_up(d->start, PAGE_SIZE), align_down(end, PAGE_SIZE), type);
		else if (d->pages)
			claim(align_down(d->start, PAGE_SIZE), align_up(end, PAGE_SIZE), type);
	}
	if (fb->width)
		claim(align_down(fb->pa.raw, PAGE_SIZE), align_up(fb->pa.raw + fb->size, PAGE_SIZE), MEM_FRAMEBUFFER);
	claim(f->initrd, align_up(f->initrd + f->initrd_size, PAGE_SIZE), MEM_INITRD);
	claim(f->outside, align_up(f->outside + f->outside_size, PAGE_SIZE), MEM_INITRD);
	for (size_t i = 0; i < f->segment_count; i++)
		claim(f->segments[i].pa, f->segments[i].pa + f->segments[i].pages * PAGE_SIZE, MEM_IMAGE);
	claim(f->tables, f->tables + f->table_frames * PAGE_SIZE, MEM_TABLES);
}

/* The strongest claim on the byte at `address`; MEM_NONE when there is none. */
static enum mem_type strongest(uint64_t address)
{
	enum mem_type type = MEM_NONE;

	for (size_t i = 0; i < claim_count; i++)
		if (address >= claims[i].start && address < claims[i].end && claims[i].type > (uint64_t)type)
			type = (enum mem_type)claims[i].type;
	return type;
}

static void expect_strongest(const struct map_fixture *f, const struct memmap *map, uint64_t address)
{
	const struct mem_range *r = memmap_find(map, paddr(address));
	enum mem_type found = r ? (enum mem_type)r->type : MEM_NONE, wanted = strongest(address);

	if (found != wanted)
		fail_msg("%s: %#llx is %s, and the strongest claim on it is %s", f->name, (unsigned long long)address,
			 mem_type_name(found), mem_type_name(wanted));
}

/* Between two edges of claims nothing changes: each edge stands for what follows it, and what ends there. */
static void expect_all_strongest(const struct map_fixture *f, const struct memmap *map)
{
	collect_claims(f);
	for (size_t i = 0; i < claim_count; i++) {
		expect_strongest(f, map, claims[i].start);
		expect_strongest(f, map, claims[i].end);
		expect_strongest(f, map, claims[i].end - 1);
		if (claims[i].start)
			expect_strongest(f, map, claims[i].start - 1);
	}
	for (size_t i = 0; i < map->count; i++) {
		assert_int_equal(strongest(map->ranges[i].start), map->ranges[i].type);
		assert_int_equal(strongest(map->ranges[i].end - 1), map->ranges[i].type);
	}
}

static void strongest_claims_win(void **state)
{
	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT; n++) {
		struct loader l;
		struct memmap map = build(&fixtures[n], &l);

		expect_all_strongest(&fixtures[n], &map);
	}
}

/* ---- the tables ---- */

struct seen {
	const struct map_fixture *fixture;
	const struct memmap *map;
	uint64_t bytes;
};

static bool is_text(const struct map_fixture *f, uint64_t pa)
{
	for (size_t i = 0; i < f->segment_count; i++)
		if (pa - f->segments[i].pa < f->segments[i].pages * PAGE_SIZE)
			return !(f->segments[i].prot & PROT_W);
	return false;
}

/* Each leaf of the direct map lies in one range of RAM; writable, but for the image's constant parts. */
static bool see_leaf(void *ctx, const struct mapping *m)
{
	struct seen *seen = ctx;
	const struct mem_range *r = memmap_find(seen->map, m->pa);

	assert_int_equal(m->va, HHDM_BASE + m->pa.raw);
	assert_non_null(r);
	assert_true(mem_type_is_ram((enum mem_type)r->type));
	assert_true(m->pa.raw + level_size(m->level) <= r->end);
	assert_int_equal(m->prot, is_text(seen->fixture, m->pa.raw) ? PROT_R : PROT_W);
	seen->bytes += level_size(m->level);
	return true;
}

static uint64_t direct_bytes(const struct memmap *map)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];
		uint64_t end = r->end < HHDM_SIZE ? r->end : HHDM_SIZE;

		if (mem_type_is_ram((enum mem_type)r->type) && r->start < end)
			bytes += end - r->start;
	}
	return bytes;
}

static void expect_direct_map(const struct map_fixture *f, struct loader *l, const struct memmap *map)
{
	struct seen seen = { f, map, 0 };
	const struct space_visitor visitor = { .leaf = see_leaf, .ctx = &seen };
	struct space s = { .max_leaf = 3 };
	uint64_t bound = loader_tables_bound(l, map);
	void *memory;

	/* RAM without end in leaves of 2 MiB: the machine could not hold the tables either. */
	if (bound > TABLE_PAGES)
		return;
	memory = aligned_alloc(PAGE_SIZE, (bound + 1) * PAGE_SIZE);
	assert_non_null(memory);
	l->arena = (struct arena){ .low = paddr((uintptr_t)memory), .table_pages = bound };
	assert_int_equal(loader_build_tables(l, map, &s.root), OK);
	assert_true(space_visit(&s, HHDM_BASE, HHDM_BASE + (HHDM_SIZE - 1), &visitor));
	assert_int_equal(seen.bytes, direct_bytes(map));
	free(memory);
}

static void direct_map_is_all_ram(void **state)
{
	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT; n++) {
		struct loader l;
		struct memmap map = build(&fixtures[n], &l);

		/* The machine's loader had counted the same way. */
		assert_in_range(loader_tables_bound(&l, &map), 1, TABLE_PAGES);
		expect_direct_map(&fixtures[n], &l, &map);
	}
}

/* ---- with entries added that no firmware should have ---- */

#define ADDED  8
#define ROUNDS 8

/* An edge of the map's own or any address, perhaps a little beside it; any size, any type, any attributes. */
static struct fixture_descriptor any_descriptor(struct random *r, const struct map_fixture *f)
{
	static const uint64_t attributes[] = {
		0, 1, 8, 0xf, 0x800000000000000f, 0x8000000000000001, 0x4000f, 0x1000f, 0x700000000000000f,
	};
	const struct fixture_descriptor *d = &f->descriptors[random_below(r, f->descriptor_count)];
	uint64_t start = d->start, pages = random_next(r) >> (12 + random_below(r, 52));

	if (random_below(r, 3) == 0)
		start = align_down(random_next(r) >> random_below(r, 52), PAGE_SIZE);
	if (random_below(r, 4) == 0)
		start += random_below(r, 2 * PAGE_SIZE) - PAGE_SIZE;
	if (random_below(r, 2))
		pages = random_below(r, 2048);
	return (struct fixture_descriptor){ .type = (uint32_t)random_below(r, 17),
					    .start = start,
					    .pages = pages,
					    .attribute = attributes[random_below(r, sizeof(attributes) / 8)] };
}

/* By the claims alone: does free RAM of a MiB remain, and what the loader lies in? */
static bool can_boot(const struct map_fixture *f, const struct memmap *map)
{
	uint64_t usable = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].start < HHDM_SIZE && strongest(map->ranges[i].start) == MEM_USABLE)
			usable += map->ranges[i].end - map->ranges[i].start;
	return usable >= 1 << 20 && strongest(f->tables - PAGE_SIZE) == MEM_LOADER;
}

static void entries_added_at_random(void **state)
{
	struct random r = random_start("test_map_fixtures");
	unsigned refused = 0;

	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT * ROUNDS; n++) {
		struct map_fixture f = fixtures[n % FIXTURE_COUNT];
		struct fixture_descriptor *d = calloc(f.descriptor_count + ADDED, sizeof(*d));
		struct loader l;
		struct memmap map;
		enum status status;
		size_t bad;

		assert_non_null(d);
		memcpy(d, f.descriptors, f.descriptor_count * sizeof(*d));
		f.descriptors = d;
		for (uint64_t i = random_below(&r, ADDED) + 1; i--; f.descriptor_count++)
			d[f.descriptor_count] = any_descriptor(&r, &f);
		map = try_build(&f, &l, &status);
		assert_int_equal(memmap_check(&map, &bad), OK);
		expect_all_strongest(&f, &map);
		assert_int_equal(status, can_boot(&f, &map) ? OK : ERR_NOT_FOUND);
		refused += status != OK;
		if (status == OK)
			expect_direct_map(&f, &l, &map);
		free(d);
	}
	assert_in_range(refused, 1, FIXTURE_COUNT * ROUNDS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_as_reported),
		cmocka_unit_test(strongest_claims_win),
		cmocka_unit_test(direct_map_is_all_ram),
		cmocka_unit_test(entries_added_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
