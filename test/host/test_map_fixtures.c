/*
 * The loader's memory code on the maps of real machines: each file of test/host/fixtures is one. It must make of the
 * firmware's map what the machine's own report says that it made; and that must be what the claims ask for.
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

#define ROOM        2048 /* ranges, and claims */
#define TABLE_PAGES 65536

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
	*l = (struct loader){ .huge_pages = f->huge_pages };
	l->info.framebuffer = f->framebuffer;
	l->initrd = (struct blob){ (const uint8_t *)(uintptr_t)f->initrd, f->initrd_size };
	assert_in_range(f->segment_count, 1, BOOT_SEGMENTS);
	for (size_t i = 0; i < f->segment_count; i++) {
		const struct fixture_segment *g = &f->segments[i];

		l->info.segments[i] = (struct boot_segment){ g->va, paddr(g->pa), g->pages, g->prot };
	}
	l->info.segment_count = f->segment_count;
	/* The tables follow the arena's one page for the trampoline. */
	l->arena = (struct arena){ .start = paddr(f->tables - PAGE_SIZE), .table_pages = f->table_frames };
}

/* The map that today's loader makes. */
static struct memmap build(const struct map_fixture *f, struct loader *l)
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
	assert_int_equal(loader_build_memmap(l, &firmware, &map), OK);
	free(raw);
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
	const uint64_t write_back = 8;

	return mem_type_is_ram(type) && d->attribute && !(d->attribute & write_back) ? MEM_RESERVED : type;
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
			claim(align_up(d->start, PAGE_SIZE), align_down(end, PAGE_SIZE), type);
		else if (d->pages)
			claim(align_down(d->start, PAGE_SIZE), align_up(end, PAGE_SIZE), type);
	}
	if (fb->width)
		claim(align_down(fb->pa.raw, PAGE_SIZE), align_up(fb->pa.raw + fb->size, PAGE_SIZE), MEM_FRAMEBUFFER);
	claim(f->initrd, align_up(f->initrd + f->initrd_size, PAGE_SIZE), MEM_INITRD);
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
static void strongest_claims_win(void **state)
{
	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT; n++) {
		struct loader l;
		struct memmap map = build(&fixtures[n], &l);

		collect_claims(&fixtures[n]);
		for (size_t i = 0; i < claim_count; i++) {
			expect_strongest(&fixtures[n], &map, claims[i].start);
			expect_strongest(&fixtures[n], &map, claims[i].end);
			expect_strongest(&fixtures[n], &map, claims[i].end - 1);
			if (claims[i].start)
				expect_strongest(&fixtures[n], &map, claims[i].start - 1);
		}
		for (size_t i = 0; i < map.count; i++) {
			assert_int_equal(strongest(map.ranges[i].start), map.ranges[i].type);
			assert_int_equal(strongest(map.ranges[i].end - 1), map.ranges[i].type);
		}
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

static void direct_map_is_all_ram(void **state)
{
	(void)state;
	for (size_t n = 0; n < FIXTURE_COUNT; n++) {
		struct loader l;
		struct memmap map = build(&fixtures[n], &l);
		struct seen seen = { &fixtures[n], &map, 0 };
		const struct space_visitor visitor = { .leaf = see_leaf, .ctx = &seen };
		struct space s = { .max_leaf = 3 };
		uint64_t bound = loader_tables_bound(&l, &map);
		void *memory;

		/* The machine's loader had counted the same way. */
		assert_in_range(bound, 1, TABLE_PAGES);
		memory = aligned_alloc(PAGE_SIZE, (bound + 1) * PAGE_SIZE);
		assert_non_null(memory);
		l.arena = (struct arena){ .start = paddr((uintptr_t)memory), .table_pages = bound };
		assert_int_equal(loader_build_tables(&l, &map, &s.root), OK);
		assert_true(space_visit(&s, HHDM_BASE, HHDM_BASE + (HHDM_SIZE - 1), &visitor));
		assert_int_equal(seen.bytes, direct_bytes(&map));
		free(memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_are_as_reported),
		cmocka_unit_test(strongest_claims_win),
		cmocka_unit_test(direct_map_is_all_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
