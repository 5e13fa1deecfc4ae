/*
 * The audit against a world that is right, and against that world with one thing wrong: all counts, not only the
 * one that should rise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/report/audit.h"
#include "paging/layout.h"
#include "test/host/paging_arena.h"
#include "test/host/printed.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)

/* The kernel image: text, rodata, data, and a stack above a page left free. */
#define IMAGE_PA  (2 * MIB)
#define TEXT      IMAGE_BASE
#define RODATA    (IMAGE_BASE + 0x4000)
#define DATA      (IMAGE_BASE + 0x6000)
#define STACK     (IMAGE_BASE + 0xa000)
#define DEVICE_PA 0xfee00000ULL

static struct mem_range ranges[] = {
	{ 0, 640 * KIB, MEM_USABLE },
	{ 1 * MIB, IMAGE_PA, MEM_USABLE },
	{ IMAGE_PA, IMAGE_PA + 0xe000, MEM_IMAGE },
	{ IMAGE_PA + 0xe000, 16 * MIB, MEM_USABLE },
	{ 16 * MIB, 17 * MIB, MEM_RUNTIME_DATA },
	{ 17 * MIB, 18 * MIB, MEM_RESERVED },
	{ ARENA_BASE, ARENA_BASE + ARENA_FRAMES *PAGE_SIZE, MEM_TABLES },
	{ HHDM_SIZE - MIB, HHDM_SIZE + MIB, MEM_USABLE }, /* half of it does not fit the direct map */
};
static const struct memmap memmap = { ranges, sizeof(ranges) / sizeof(ranges[0]), sizeof(ranges) / sizeof(ranges[0]) };

static const struct boot_segment segments[] = {
	{ TEXT, { IMAGE_PA }, 4, PROT_X },
	{ RODATA, { IMAGE_PA + 0x4000 }, 2, PROT_R },
	{ DATA, { IMAGE_PA + 0x6000 }, 3, PROT_W },
	{ STACK, { IMAGE_PA + 0xa000 }, 4, PROT_W },
};

struct world {
	struct arena arena;
	struct space kernel;
	struct space user;
	struct space firmware;
	struct audit_facts facts;
};

static void map(struct space *s, vaddr_t va, uint64_t pa, size_t pages, enum page_prot prot)
{
	assert_int_equal(space_map(s, va, paddr(pa), pages, prot), OK);
}

static void unmap(struct space *s, vaddr_t va, size_t pages)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	assert_int_equal(space_unmap(s, va, pages, &flush), OK);
	space_release(s, &flush);
}

static void protect(struct space *s, vaddr_t va, size_t pages, enum page_prot prot)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	assert_int_equal(space_protect(s, va, pages, prot, &flush), OK);
	space_release(s, &flush);
}

static void make_kernel(struct world *w)
{
	assert_int_equal(space_init(&w->kernel, &arena_ops, &w->arena, arena_direct(&w->arena), 3), OK);
	for (size_t i = 0; i < memmap.count; i++) {
		uint64_t end = ranges[i].end < HHDM_SIZE ? ranges[i].end : HHDM_SIZE;

		if (mem_type_is_ram((enum mem_type)ranges[i].type))
			map(&w->kernel, HHDM_BASE + ranges[i].start, ranges[i].start,
			    (end - ranges[i].start) / PAGE_SIZE, PROT_W);
	}
	protect(&w->kernel, HHDM_BASE + IMAGE_PA, 4, PROT_R);
	for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
		map(&w->kernel, segments[i].va, segments[i].pa.raw, segments[i].pages,
		    (enum page_prot)segments[i].prot | PROT_GLOBAL);
	map(&w->kernel, HEAP_BASE, 8 * MIB, 512, PROT_W | PROT_GLOBAL);
	map(&w->kernel, MMIO_BASE, DEVICE_PA, 1, PROT_W | PROT_UC);
	assert_int_equal(space_pin(&w->kernel, SHARED_SLOT), OK);
}

static void make_context(struct world *w, struct space *s)
{
	assert_int_equal(space_init(s, &arena_ops, &w->arena, arena_direct(&w->arena), 3), OK);
	space_share(s, &w->kernel, SHARED_SLOT);
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	arena_init(&w->arena);
	make_kernel(w);
	make_context(w, &w->user);
	map(&w->user, 0x400000, 9 * MIB, 2, PROT_X | PROT_USER);
	map(&w->user, 0x600000, 10 * MIB, 512, PROT_W | PROT_USER);
	make_context(w, &w->firmware);
	map(&w->firmware, 16 * MIB, 16 * MIB, 16, PROT_W);
	map(&w->firmware, 16 * MIB + 16 * PAGE_SIZE, 16 * MIB + 16 * PAGE_SIZE, 4, PROT_X);
	w->facts = (struct audit_facts){ &w->kernel, &memmap, segments, sizeof(segments) / sizeof(segments[0]), 46 };
	printed_clear();
	*state = w;
	return 0;
}

static int free_world(void **state)
{
	struct world *w = *state;

	arena_destroy(&w->arena);
	free(w);
	return 0;
}

/* A fault and how often; the list ends with a count of 0. */
struct expected {
	enum audit_fault fault;
	size_t count;
};

/* These faults and no others. */
static void expect(struct world *w, const struct space *s, enum audit_kind kind, const struct expected *expected)
{
	size_t counts[AUDIT_FAULT_COUNT] = { 0 }, total = 0;
	struct audit audit;

	for (; expected->count; expected++) {
		counts[expected->fault] = expected->count;
		total += expected->count;
	}
	audit_space(s, kind, &w->facts, &audit);
	for (size_t i = 0; i < AUDIT_FAULT_COUNT; i++)
		if (audit.counts[i] != counts[i])
			fail_msg("fault %zu: %zu times, expected %zu", i, audit.counts[i], counts[i]);
	assert_int_equal(audit_total(&audit), total);
}

#define EXPECT(w, s, kind, ...) expect(w, s, kind, (const struct expected[]){ __VA_ARGS__, { 0, 0 } })

static pte_t *entry(struct space *s, vaddr_t va)
{
	return space_find(s, va).pte;
}

static pte_t *root_entry(struct space *s, unsigned slot)
{
	return (pte_t *)(s->direct + s->root.raw) + slot;
}

/* ---- nothing wrong ---- */

static bool count_leaf(void *ctx, const struct mapping *m)
{
	(void)m;
	++*(size_t *)ctx;
	return true;
}

static size_t count_leaves(const struct space *s)
{
	size_t leaves = 0;
	const struct space_visitor visitor = { .leaf = count_leaf, .ctx = &leaves };

	assert_true(space_visit(s, 0, ~0ULL, &visitor));
	return leaves;
}

static void test_good(void **state)
{
	struct world *w = *state;
	const struct expected none = { 0, 0 };
	struct audit audit;
	char text[128];

	expect(w, &w->kernel, AUDIT_AS_KERNEL, &none);
	expect(w, &w->user, AUDIT_AS_USER, &none);
	expect(w, &w->firmware, AUDIT_AS_FIRMWARE, &none);

	audit_space(&w->kernel, AUDIT_AS_KERNEL, &w->facts, &audit);
	assert_int_equal(audit.leaves, count_leaves(&w->kernel));
	assert_int_equal(audit.tables, w->kernel.tables + 1);
	audit_print(printed_keep, "kernel context", &audit);
	snprintf(text, sizeof(text),
		 "audit: kernel context: 0 W+X, 0 user, 0 stray global, 0 outside the map; %zu leaves, %zu tables\n",
		 audit.leaves, audit.tables);
	assert_string_equal(printed, text);
}

/* ---- one wrong bit in one leaf ---- */

static void test_leaf_bits(void **state)
{
	struct world *w = *state;
	static const struct {
		vaddr_t va;
		uint64_t flip;
		struct expected expected[3];
	} cases[] = {
		{ TEXT, PTE_WRITABLE, { { AUDIT_WX, 1 }, { AUDIT_RIGHTS, 1 } } },
		{ TEXT, PTE_NX, { { AUDIT_RIGHTS, 1 } } },
		{ TEXT, PTE_GLOBAL, { { AUDIT_NOT_GLOBAL, 1 } } },
		{ RODATA, PTE_NX, { { AUDIT_RIGHTS, 1 } } },
		{ DATA, PTE_NX, { { AUDIT_WX, 1 }, { AUDIT_RIGHTS, 1 } } },
		{ DATA, PTE_PWT, { { AUDIT_RIGHTS, 1 } } },
		{ DATA, 1ULL << 20, { { AUDIT_WRONG_FRAME, 1 } } },
		{ HEAP_BASE, PTE_NX, { { AUDIT_WX, 1 }, { AUDIT_EXECUTABLE, 1 } } },
		{ HEAP_BASE, PTE_PCD, { { AUDIT_RIGHTS, 1 } } },
		{ HEAP_BASE, PTE_GLOBAL, { { AUDIT_NOT_GLOBAL, 1 } } },
		{ HHDM_BASE, PTE_GLOBAL, { { AUDIT_STRAY_GLOBAL, 1 } } },
		{ HHDM_BASE, PTE_NX, { { AUDIT_WX, 1 }, { AUDIT_EXECUTABLE, 1 } } },
		{ HHDM_BASE, PTE_NX | PTE_WRITABLE, { { AUDIT_EXECUTABLE, 1 } } },
		{ HHDM_BASE, PTE_PCD, { { AUDIT_RIGHTS, 1 } } },
		/* Another frame of RAM, and one that is none. */
		{ HHDM_BASE, 8 * MIB, { { AUDIT_WRONG_FRAME, 1 } } },
		{ HHDM_BASE, 17 * MIB, { { AUDIT_WRONG_FRAME, 1 }, { AUDIT_NOT_RAM, 1 } } },
		{ HHDM_BASE + IMAGE_PA, PTE_WRITABLE, { { AUDIT_TEXT_ALIAS, 1 } } },
		{ MMIO_BASE, PTE_GLOBAL, { { AUDIT_STRAY_GLOBAL, 1 } } },
		{ MMIO_BASE, PTE_NX, { { AUDIT_WX, 1 }, { AUDIT_EXECUTABLE, 1 } } },
		{ MMIO_BASE, PTE_PCD | PTE_PWT, { { AUDIT_RIGHTS, 1 } } },
		{ MMIO_BASE, DEVICE_PA ^ 5 * MIB, { { AUDIT_RAM, 1 } } },
		/* Alone this gives nobody access: the tables above do not have it. */
		{ HHDM_BASE, PTE_USER, { { 0, 0 } } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		entry(&w->kernel, cases[i].va)->raw ^= cases[i].flip;
		expect(w, &w->kernel, AUDIT_AS_KERNEL, cases[i].expected);
		entry(&w->kernel, cases[i].va)->raw ^= cases[i].flip;
	}
	test_good(state);
}

/* ---- more than a bit ---- */

static void test_user_access(void **state)
{
	struct world *w = *state;
	struct slot path[4];
	int depth = space_walk(&w->kernel, DATA, path);

	for (int i = 0; i < depth; i++)
		path[i].pte->raw |= PTE_USER;
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_USER, 1 }, { AUDIT_ROOT, 1 });
	/* The firmware context's own half is not for users either. */
	depth = space_walk(&w->firmware, 16 * MIB, path);
	path[depth - 1].pte->raw |= PTE_USER;
	EXPECT(w, &w->firmware, AUDIT_AS_FIRMWARE, { AUDIT_USER, 1 }, { AUDIT_SHARED, 1 });
}

static void test_outside(void **state)
{
	struct world *w = *state;

	map(&w->kernel, 0, 0, 3, PROT_W);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_OUTSIDE, 3 }, { AUDIT_ROOT, 1 });
	unmap(&w->kernel, 0, 3);
	map(&w->kernel, MMIO_BASE + MMIO_SIZE, DEVICE_PA, 1, PROT_R);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_OUTSIDE, 1 }, { AUDIT_ROOT, 1 });
	unmap(&w->kernel, MMIO_BASE + MMIO_SIZE, 1);
	/* The guard page below the stack, and what lies behind the image. */
	map(&w->kernel, STACK - PAGE_SIZE, IMAGE_PA + 0x9000, 1, PROT_W | PROT_GLOBAL);
	map(&w->kernel, IMAGE_BASE + 64 * MIB, 8 * MIB, 512, PROT_W | PROT_GLOBAL);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_OUTSIDE, 2 });
	unmap(&w->kernel, STACK - PAGE_SIZE, 1);
	unmap(&w->kernel, IMAGE_BASE + 64 * MIB, 512);
	test_good(state);
}

static void test_contexts(void **state)
{
	struct world *w = *state;

	map(&w->user, HHDM_BASE, 0, 1, PROT_W);
	EXPECT(w, &w->user, AUDIT_AS_USER, { AUDIT_OUTSIDE, 1 }, { AUDIT_ROOT, 1 });
	map(&w->firmware, MMIO_BASE, DEVICE_PA, 2, PROT_W | PROT_UC);
	EXPECT(w, &w->firmware, AUDIT_AS_FIRMWARE, { AUDIT_OUTSIDE, 2 }, { AUDIT_ROOT, 1 });
	unmap(&w->firmware, MMIO_BASE, 2);
	map(&w->firmware, 32 * MIB, 33 * MIB, 1, PROT_W);
	EXPECT(w, &w->firmware, AUDIT_AS_FIRMWARE, { AUDIT_WRONG_FRAME, 1 });
}

static void test_missing(void **state)
{
	struct world *w = *state;

	unmap(&w->kernel, HHDM_BASE + 10 * MIB, 513);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_MISSING, 513 });
	unmap(&w->kernel, HHDM_BASE, HHDM_SIZE / PAGE_SIZE);
	/* All RAM but what lies above the direct map's end. */
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_MISSING, 160 + (16 - 1 + 1 + 16 + 1) * MIB / PAGE_SIZE });
}

static void test_not_ram(void **state)
{
	struct world *w = *state;

	map(&w->kernel, HHDM_BASE + 640 * KIB, 640 * KIB, 1, PROT_W);
	map(&w->kernel, HHDM_BASE + 17 * MIB, 17 * MIB, 1, PROT_W);
	map(&w->kernel, HHDM_BASE + PAGE_SIZE_1G, PAGE_SIZE_1G, PAGE_SIZE_1G / PAGE_SIZE, PROT_W);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_NOT_RAM, 3 });
	unmap(&w->kernel, HHDM_BASE + 640 * KIB, 1);
	unmap(&w->kernel, HHDM_BASE + 17 * MIB, 1);
	unmap(&w->kernel, HHDM_BASE + PAGE_SIZE_1G, PAGE_SIZE_1G / PAGE_SIZE);
	test_good(state);
}

static void test_text_alias(void **state)
{
	struct world *w = *state;

	protect(&w->kernel, HHDM_BASE + IMAGE_PA, 4, PROT_W);
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_TEXT_ALIAS, 4 });
}

static void test_root(void **state)
{
	struct world *w = *state;

	/* An address bit that the CPU does not have; a table outside RAM ends the audit. */
	root_entry(&w->kernel, 256)->raw |= 1ULL << 50;
	EXPECT(w, &w->kernel, AUDIT_AS_KERNEL, { AUDIT_ROOT, 1 }, { AUDIT_TABLE, 1 });
	root_entry(&w->kernel, 256)->raw &= ~(1ULL << 50);
	/* A bit that the CPU passes over and that nothing of ours sets. */
	root_entry(&w->user, SHARED_SLOT)->raw |= 1ULL << 52;
	EXPECT(w, &w->user, AUDIT_AS_USER, { AUDIT_ROOT, 1 }, { AUDIT_SHARED, 1 });
	root_entry(&w->user, SHARED_SLOT)->raw &= ~(1ULL << 52);
	root_entry(&w->user, SHARED_SLOT)->raw ^= PTE_ACCESSED;
	expect(w, &w->user, AUDIT_AS_USER, &(struct expected){ 0, 0 });
	root_entry(&w->user, SHARED_SLOT)->raw = 0;
	EXPECT(w, &w->user, AUDIT_AS_USER, { AUDIT_SHARED, 1 });
}

static void test_findings(void **state)
{
	struct world *w = *state;
	struct audit audit;
	const char *line = printed;
	char text[512];

	protect(&w->kernel, DATA, 3, PROT_W);
	map(&w->kernel, 0x1000, 0, 7, PROT_R);
	audit_space(&w->kernel, AUDIT_AS_KERNEL, &w->facts, &audit);
	assert_int_equal(audit.finding_count, AUDIT_FINDINGS);
	audit_print(printed_keep, "kernel context", &audit);
	snprintf(text, sizeof(text),
		 "audit: kernel context: 0 W+X, 0 user, 0 stray global, 7 outside the map, 3 not global, "
		 "1 bad PML4 entry; %zu leaves, %zu tables\n"
		 "audit:   0x0000000000000000 bad PML4 entry: PML4E 0x%016llx\n"
		 "audit:   0x0000000000001000 outside the map: PTE 0x8000000000000021\n",
		 audit.leaves, audit.tables, (unsigned long long)root_entry(&w->kernel, 0)->raw);
	assert_memory_equal(printed, text, strlen(text));
	for (size_t lines = 0; lines < 1 + AUDIT_FINDINGS; lines++)
		line = strchr(line, '\n') + 1;
	assert_int_equal(*line, '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_leaf_bits, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_user_access, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_outside, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_contexts, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_missing, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_not_ram, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_text_alias, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_root, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_findings, make_world, free_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
