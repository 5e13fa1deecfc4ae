/*
 * The printed maps, walks and error codes: whole texts, line by line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/trap.h"
#include "kernel/panic/trap_text.h"
#include "kernel/report/map.h"
#include "kernel/report/peek.h"
#include "kernel/report/walk_report.h"
#include "test/host/paging_arena.h"
#include "test/host/printed.h"

struct world {
	struct arena arena;
	struct space space;
};

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	arena_init(&w->arena);
	if (space_init(&w->space, &arena_ops, &w->arena, arena_direct(&w->arena), 3) != OK)
		return -1;
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

static void map(struct world *w, vaddr_t va, uint64_t pa, size_t pages, enum page_prot prot)
{
	assert_int_equal(space_map(&w->space, va, paddr(pa), pages, prot), OK);
}

static void test_memory(void **state)
{
	struct mem_range ranges[] = {
		{ 0, 0xa0000, MEM_USABLE },
		{ 0x100000, 0x40000000, MEM_USABLE },
		{ 0x40000000, 0x40001000, MEM_LOADER },
		{ 0xfec00000, 0xfec01000, MEM_MMIO },
	};
	const struct memmap memmap = { ranges, 4, 4 };

	(void)state;
	map_print_memory(printed_keep, &memmap);
	assert_string_equal(printed, "0x0000000000000000-0x000000000009ffff   640 KiB  usable\n"
				     "0x0000000000100000-0x000000003fffffff  1023 MiB  usable\n"
				     "0x0000000040000000-0x0000000040000fff     4 KiB  loader\n"
				     "0x00000000fec00000-0x00000000fec00fff     4 KiB  MMIO\n"
				     "memory: usable 1023.6 MiB, loader 4 KiB, MMIO 4 KiB\n");
	printed_clear();
	map_print_totals(printed_keep, &memmap);
	assert_string_equal(printed, "usable         1023.6 MiB  in 2 ranges\n"
				     "loader             4 KiB  in 1 range\n"
				     "MMIO               4 KiB  in 1 range\n"
				     "all RAM        1023.6 MiB\n");
}

static void test_space(void **state)
{
	static const struct map_label labels[] = { { IMAGE_BASE, IMAGE_BASE + 0x2000, "kernel text" } };
	struct world *w = *state;

	/* One run of all three sizes, its frames not in order; then a change of rights, of type, of range, a hole. */
	map(w, HHDM_BASE, 1ULL << 40, PAGE_SIZE_1G / PAGE_SIZE, PROT_W);
	map(w, HHDM_BASE + PAGE_SIZE_1G, 0, (2 * PAGE_SIZE_2M + PAGE_SIZE) / PAGE_SIZE, PROT_W);
	map(w, HHDM_BASE + PAGE_SIZE_1G + 2 * PAGE_SIZE_2M + PAGE_SIZE, 0x7000, 1, PROT_R);
	map(w, HHDM_BASE + HHDM_SIZE - PAGE_SIZE, 0, 1, PROT_W | PROT_UC);
	map(w, MMIO_BASE, 0, 1, PROT_W | PROT_UC);
	map(w, MMIO_BASE + PAGE_SIZE, 0, 1, PROT_W | PROT_WC);
	map(w, 0x400000, 0, 1, PROT_X | PROT_USER);
	map(w, 0xffffc00000000000, 0, 1, PROT_R | PROT_WT);
	map(w, IMAGE_BASE, 0, 2, PROT_X | PROT_GLOBAL);
	map(w, IMAGE_BASE + 0x3000, 0, 1, PROT_W | PROT_GLOBAL);
	map(w, -PAGE_SIZE, 0, 1, PROT_W | PROT_GLOBAL);
	map_print_space(printed_keep, &w->space, labels, 1);
	assert_string_equal(
		printed,
		"0x0000000000400000-0x0000000000400fff     4 KiB r-x-u WB  4K:1                user memory\n"
		"0xffff800000000000-0xffff800040400fff   1.0 GiB rw--  WB  1G:1 2M:2 4K:1      direct map (HHDM)\n"
		"0xffff800040401000-0xffff800040401fff     4 KiB r---  WB  4K:1                direct map (HHDM)\n"
		"0xffff8ffffffff000-0xffff8fffffffffff     4 KiB rw--  UC  4K:1                direct map (HHDM)\n"
		"0xffff900000000000-0xffff900000000fff     4 KiB rw--  UC  4K:1                MMIO window\n"
		"0xffff900000001000-0xffff900000001fff     4 KiB rw--  WC  4K:1                MMIO window\n"
		"0xffffc00000000000-0xffffc00000000fff     4 KiB r---  WT  4K:1                outside the map\n"
		"0xffffffff80000000-0xffffffff80001fff     8 KiB r-xg  WB  4K:2                kernel text\n"
		"0xffffffff80003000-0xffffffff80003fff     4 KiB rw-g  WB  4K:1                kernel image\n"
		"0xfffffffffffff000-0xffffffffffffffff     4 KiB rw-g  WB  4K:1                kernel image\n"
		"page tables: 21 frames, 84 KiB\n");
}

static void test_empty_space(void **state)
{
	struct world *w = *state;

	map_print_space(printed_keep, &w->space, NULL, 0);
	assert_string_equal(printed, "page tables: 1 frames, 4 KiB\n");
}

/* Where the walk for `va` has its tables, below the root: the frames are paging/'s to choose. */
static void find_tables(const struct world *w, vaddr_t va, unsigned long long ret[3])
{
	struct slot path[4];
	int depth = space_walk(&w->space, va, path);

	for (int i = 0; i + 1 < depth; i++)
		ret[i] = pte_paddr(*path[i].pte, path[i].level).raw;
}

static void test_walk(void **state)
{
	struct world *w = *state;
	unsigned long long t[3];
	char expected[512];

	map(w, HHDM_BASE + PAGE_SIZE_1G, 0x200000, 512, PROT_W);
	map(w, IMAGE_BASE, 0x5000, 1, PROT_X | PROT_GLOBAL);
	assert_int_equal(space_pin(&w->space, SHARED_SLOT), OK);

	walk_print(printed_keep, &w->space, HHDM_BASE + PAGE_SIZE_1G + 0x1234);
	walk_print_leaf(printed_keep, &w->space, HHDM_BASE + PAGE_SIZE_1G + 0x1234);
	find_tables(w, HHDM_BASE + PAGE_SIZE_1G, t);
	snprintf(expected, sizeof(expected),
		 "  PML4E[256] 0x%016llx table at %#llx rwx- A\n"
		 "  PDPTE[  1] 0x%016llx table at %#llx rwx- A\n"
		 "  PDE  [  0] 0x80000000002000e3 2 MiB at 0x200000 rw-- WB A D\n"
		 "0xffff800040000000-0xffff8000401fffff -> 0x200000, rw-- WB: "
		 "0xffff800040001234 is physical 0x201234\n",
		 t[0] | 0x23, t[0], t[1] | 0x23, t[1]);
	assert_string_equal(printed, expected);

	printed_clear();
	walk_print(printed_keep, &w->space, IMAGE_BASE);
	find_tables(w, IMAGE_BASE, t);
	snprintf(expected, sizeof(expected),
		 "  PML4E[511] 0x%016llx table at %#llx rwx- A pinned\n"
		 "  PDPTE[510] 0x%016llx table at %#llx rwx- A\n"
		 "  PDE  [  0] 0x%016llx table at %#llx rwx- A\n"
		 "  PTE  [  0] 0x0000000000005121 4 KiB at 0x5000 r-xg WB A\n",
		 t[0] | 0x223, t[0], t[1] | 0x23, t[1], t[2] | 0x23, t[2]);
	assert_string_equal(printed, expected);

	printed_clear();
	space_find(&w->space, 0).pte->raw = 2;
	walk_print(printed_keep, &w->space, 0);
	walk_print_leaf(printed_keep, &w->space, 0);
	walk_print(printed_keep, &w->space, 1ULL << 47);
	walk_print_leaf(printed_keep, &w->space, 1ULL << 47);
	assert_string_equal(printed, "  PML4E[  0] 0x0000000000000002 not present, though not zero\n"
				     "not mapped: the PML4E is not present\n"
				     "  0x0000800000000000 is not canonical: no table has it\n");
}

static void expect_text(uint64_t vector, uint64_t error, const char *expected)
{
	char text[TRAP_TEXT];

	assert_string_equal(trap_text(vector, error, text), expected);
}

static void test_error_codes(void **state)
{
	(void)state;
	expect_text(TRAP_PF, 0x00, "read of a page that is not present, by the kernel");
	expect_text(TRAP_PF, 0x02, "write to a page that is not present, by the kernel");
	expect_text(TRAP_PF, 0x03, "write to a page whose rights forbid it, by the kernel");
	expect_text(TRAP_PF, 0x15, "execution of a page whose rights forbid it, by user code");
	expect_text(TRAP_PF, 0x08, "read of a page with a reserved bit set in an entry, by the kernel");
	expect_text(TRAP_PF, 0x27, "write to a page whose protection key forbids it, by user code");
	expect_text(TRAP_PF, 0x47, "shadow-stack access to a page whose rights forbid it, by user code");
	expect_text(TRAP_GP, 0, "");
	expect_text(TRAP_GP, 0x18, "entry 3 of the GDT");
	expect_text(TRAP_GP, 0x83, "entry 16 of the IDT, for an event from outside");
	expect_text(11, 0x0c, "entry 1 of the LDT");
	expect_text(TRAP_UD, 5, "");
}

static void test_addresses_and_values(void **state)
{
	static const struct {
		vaddr_t va;
		const char *text;
	} places[] = {
		{ 0, "a null pointer" },
		{ PAGE_SIZE - 1, "a null pointer" },
		{ PAGE_SIZE, "user memory" },
		{ USER_SIZE - 1, "user memory" },
		{ USER_SIZE, "outside the memory map" },
		{ HHDM_BASE, "direct map (HHDM)" },
		{ MMIO_BASE, "MMIO window" },
		{ MMIO_BASE + MMIO_SIZE, "outside the memory map" },
		{ HEAP_BASE, "kernel heap" },
		{ IMAGE_BASE - 1, "kernel heap" },
		{ UINT64_MAX, "kernel image" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		assert_string_equal(address_text(places[i].va), places[i].text);
	assert_null(kernel_context_text(HHDM_BASE - 1));
	assert_string_equal(kernel_context_text(HHDM_BASE), "direct map (HHDM)");
	assert_string_equal(kernel_context_text(MMIO_BASE), "MMIO window");
	assert_null(kernel_context_text(MMIO_BASE + MMIO_SIZE));
	assert_null(kernel_context_text(0));
	assert_string_equal(value_text(0xdddddddddddddddd), "freed memory of the heap");
	assert_string_equal(value_text(0xa7a7a7a7a7a7a7a7), "memory of the heap that nobody has written");
	assert_string_equal(value_text(0xb5b5b5b5b5b5b5b5), "beyond the end of a block of the heap");
	assert_null(value_text(0xdddddddddddddd00));
	assert_null(value_text(0));
}

/* ---- stacks ---- */

#define STACK_PAGES 2
#define STACK       (HEAP_BASE + 0x10000)

/* A stack of two pages in the heap range, in frames that are not neighbours. Returns its words from the lowest. */
static void map_stack(struct world *w, uint64_t *ret_page[STACK_PAGES])
{
	for (size_t i = STACK_PAGES; i-- > 0;) {
		paddr_t pa;

		assert_int_equal(arena_ops.alloc(&w->arena, &pa), OK);
		map(w, STACK + i * PAGE_SIZE, pa.raw, 1, PROT_W | PROT_GLOBAL);
		ret_page[i] = arena_table(&w->arena, pa.raw);
		memset(ret_page[i], 0, PAGE_SIZE);
	}
}

static void test_peek(void **state)
{
	struct world *w = *state;
	uint64_t *page[STACK_PAGES], two[2] = { 0 };

	map_stack(w, page);
	page[0][511] = 11;
	page[1][0] = 22;
	assert_int_equal(peek(&w->space, STACK + 0xff8, two, sizeof(two)), OK);
	assert_int_equal(two[0], 11);
	assert_int_equal(two[1], 22);
	assert_int_equal(peek(&w->space, STACK + 0x1ff8, two, sizeof(two)), ERR_NOT_FOUND);
	assert_int_equal(peek(&w->space, STACK - 1, two, 1), ERR_NOT_FOUND);
	assert_int_equal(peek(&w->space, HHDM_BASE, two, 1), ERR_RANGE);
	assert_int_equal(peek(&w->space, 1ULL << 47, two, 1), ERR_RANGE);
	assert_int_equal(peek(&w->space, -8ULL, two, sizeof(two)), ERR_RANGE);
}

static void test_frames(void **state)
{
	struct world *w = *state;
	uint64_t *page[STACK_PAGES];
	vaddr_t callers[8];

	map_stack(w, page);
	/* Two frames, the second one across both pages' border; then the end. */
	page[0][4] = STACK + 0xff8;
	page[0][5] = 0x1111;
	page[0][511] = 0;
	page[1][0] = 0x2222;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 2);
	assert_int_equal(callers[0], 0x1111);
	assert_int_equal(callers[1], 0x2222);
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 1), 1);

	/* In a circle, unaligned, off the stack, outside slot 511, without a return address. */
	page[0][511] = STACK + 32;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 8);
	page[0][511] = STACK + 33;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 2);
	page[0][511] = STACK + 0x1ff8;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 2);
	page[0][511] = 0x4444444444444448;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 2);
	page[0][511] = STACK + 0x800;
	assert_int_equal(peek_frames(&w->space, STACK + 32, callers, 8), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_space, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_empty_space, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_walk, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_error_codes, make_world, free_world),
		cmocka_unit_test(test_addresses_and_values),
		cmocka_unit_test_setup_teardown(test_peek, make_world, free_world),
		cmocka_unit_test_setup_teardown(test_frames, make_world, free_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
