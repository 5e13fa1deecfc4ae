/*
 * The MMIO window over a space and a memory map of the test's: every refusal, the complete list of mappings, and each
 * call with the n-th frame refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/lib/format.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/space/mmio_window.h"
#include "paging/layout.h"
#include "test/host/paging_expect.h"
#include "test/host/random.h"

#define LIMIT (1ULL << 40)

static struct mem_range ranges[] = {
	{ 0, 0xa0000, MEM_USABLE },
	{ 0xc0000, 0x100000, MEM_RESERVED },
	{ 0x100000, 0x80000000, MEM_BOOT_SERVICES },
	{ 0x80000000, 0x80001000, MEM_ACPI_NVS },
	{ 0xfec00000, 0xfec01000, MEM_MMIO },
};
static const struct memmap map = { .ranges = ranges, .count = 5, .capacity = 5 };

static struct space space;
static struct mmio_window window;
static size_t flushes;
static size_t books; /* frames that the books have */

static void run_flush(struct tlb_flush *flush)
{
	assert_true(flush->leaves > 0);
	flushes++;
	space_release(&space, flush);
}

/* The books' pages come from the arena as well: so one counter fails the n-th frame of a call, whatever it is for. */
static void *page_alloc(void *ctx)
{
	paddr_t pa;

	(void)ctx;
	if (arena_ops.alloc(&arena, &pa) != OK)
		return NULL;
	books++;
	return (void *)(arena_direct(&arena) + pa.raw);
}

static void page_free(void *ctx, void *page)
{
	(void)ctx;
	books--;
	arena_ops.free(&arena, paddr((uintptr_t)page - arena_direct(&arena)));
}

static const struct window_seam seam = { page_alloc, page_free, NULL };

static int begin(void **state)
{
	fresh_arena(state);
	space = new_space(3);
	flushes = books = 0;
	window = (struct mmio_window){ .space = &space, .map = &map, .limit = LIMIT, .flush = run_flush };
	return mmio_window_init(&window, &seam);
}

/* Nothing may be left: no leaf, no window, no frame. */
static int end(void **state)
{
	assert_int_equal(window.windows.count, 0);
	assert_int_equal(window.windows.free_bytes, MMIO_SIZE);
	windows_destroy(&window.windows);
	expect_no_mapping(&space);
	end_space(&space);
	return check_arena(state);
}

#define expect_mapped(...) expect_mappings_beside(&space, books, __VA_ARGS__)

static void *must_map(uint64_t pa, uint64_t size, enum page_prot type)
{
	void *p = NULL;

	assert_int_equal(mmio_window_map(&window, paddr(pa), size, type, &p), OK);
	return p;
}

static enum status try_map(uint64_t pa, uint64_t size, enum page_prot type)
{
	void *untouched = &space, *p = untouched;
	enum status status = mmio_window_map(&window, paddr(pa), size, type, &p);

	assert_int_not_equal(status, OK);
	assert_ptr_equal(p, untouched);
	assert_int_equal(window.windows.count, 0);
	return status;
}

static void wrong_types_are_refused(void **state)
{
	(void)state;
	assert_int_equal(try_map(0xfec00000, 1, PROT_WB), ERR_RIGHTS);
	assert_int_equal(try_map(0xfec00000, 1, PROT_UC | PROT_X), ERR_RIGHTS);
	assert_int_equal(try_map(0xfec00000, 1, PROT_UC | PROT_W), ERR_RIGHTS);
	assert_int_equal(try_map(0xfec00000, 1, PROT_UC | PROT_USER), ERR_RIGHTS);
	assert_int_equal(try_map(0xfec00000, 1, PROT_UC | PROT_GLOBAL), ERR_RIGHTS);
}

static void wrong_ranges_are_refused(void **state)
{
	(void)state;
	assert_int_equal(try_map(0xfec00000, 0, PROT_UC), ERR_RANGE);
	assert_int_equal(try_map(LIMIT, 1, PROT_UC), ERR_RANGE);
	assert_int_equal(try_map(LIMIT - 1, 2, PROT_UC), ERR_RANGE);
	assert_int_equal(try_map(~0ULL, 2, PROT_UC), ERR_RANGE);
	assert_int_equal(try_map(0xfec00000, ~0ULL, PROT_UC), ERR_RANGE);
	/* More than the window has. */
	window.limit = 1ULL << 52;
	assert_int_equal(try_map(1ULL << 50, MMIO_SIZE, PROT_UC), ERR_NO_MEMORY);
	assert_int_equal(try_map(1ULL << 50, 3ULL << 50, PROT_UC), ERR_NO_MEMORY);
}

static void ram_of_every_kind_is_refused(void **state)
{
	(void)state;
	assert_int_equal(try_map(0, 1, PROT_UC), ERR_EXISTS);
	assert_int_equal(try_map(0x9ffff, 2, PROT_UC), ERR_EXISTS);
	assert_int_equal(try_map(0xfffff, 2, PROT_WC), ERR_EXISTS);
	assert_int_equal(try_map(0x80000800, 8, PROT_WT), ERR_EXISTS);
	/* Its own page is free, but the next one is RAM. */
	assert_int_equal(try_map(0xff000, PAGE_SIZE + 1, PROT_UC), ERR_EXISTS);
	mmio_window_unmap(&window, must_map(0xa0000, 0x60000, PROT_UC));
	mmio_window_unmap(&window, must_map(0x80001000, 1, PROT_UC));
}

static void bytes_keep_their_place_in_the_page(void **state)
{
	void *p = must_map(0xfec00ffc, 8, PROT_UC);

	(void)state;
	assert_int_equal((uintptr_t)p, MMIO_BASE + PAGE_SIZE + 0xffc);
	expect_mapped({ MMIO_BASE + PAGE_SIZE, 0xfec00000, K4, 2, PROT_W | PROT_UC });
	mmio_window_unmap(&window, p);
	assert_int_equal(flushes, 1);
}

static void pages_lie_between_mappings(void **state)
{
	void *first = must_map(0xfec00000, PAGE_SIZE, PROT_UC), *second = must_map(0xfed00000, PAGE_SIZE, PROT_WT);
	void *last = must_map(LIMIT - 1, 1, PROT_WC);

	(void)state;
	expect_mapped({ MMIO_BASE + 1 * K4, 0xfec00000, K4, 1, PROT_W | PROT_UC },
		      { MMIO_BASE + 4 * K4, 0xfed00000, K4, 1, PROT_W | PROT_WT },
		      { MMIO_BASE + 7 * K4, LIMIT - K4, K4, 1, PROT_W | PROT_WC });
	mmio_window_unmap(&window, second);
	assert_int_equal((uintptr_t)must_map(0xfed00000, 1, PROT_UC), (uintptr_t)second);
	mmio_window_unmap(&window, second);
	mmio_window_unmap(&window, first);
	mmio_window_unmap(&window, last);
}

static void large_leaves_where_they_fit(void **state)
{
	const uint64_t pa = 8 * G1 - M2 - K4;
	const uint64_t va = MMIO_BASE + 2 * G1 - M2 - K4; /* guard and alignment cost the first gigabyte */
	void *p = must_map(pa, K4 + M2 + G1 + 2 * M2 + K4, PROT_WC);

	(void)state;
	expect_mapped({ va, pa, K4, 1, PROT_W | PROT_WC }, { va + K4, pa + K4, M2, 1, PROT_W | PROT_WC },
		      { va + K4 + M2, 8 * G1, G1, 1, PROT_W | PROT_WC },
		      { va + K4 + M2 + G1, 9 * G1, M2, 2, PROT_W | PROT_WC },
		      { va + K4 + M2 + G1 + 2 * M2, 9 * G1 + 2 * M2, K4, 1, PROT_W | PROT_WC });
	mmio_window_unmap(&window, p);
	expect_leaves(&space, NULL, 0, books, __FILE__, __LINE__);
	/* 2 MiB long, but nowhere a whole 2 MiB page. */
	p = must_map(pa, M2, PROT_WC);
	expect_mapped({ MMIO_BASE + K4, pa, K4, 512, PROT_W | PROT_WC });
	mmio_window_unmap(&window, p);
}

static void no_1g_leaves_without_the_cpu(void **state)
{
	void *p;

	(void)state;
	space.max_leaf = 2;
	p = must_map(8 * G1, G1, PROT_UC);
	expect_mapped({ MMIO_BASE + M2, 8 * G1, M2, 512, PROT_W | PROT_UC });
	mmio_window_unmap(&window, p);
}

static void one_type_a_page(void **state)
{
	void *wide = must_map(0xe0000000, 16 * M2, PROT_WC), *again, *p;

	(void)state;
	again = must_map(0xe0001000, 4, PROT_WC);
	assert_ptr_not_equal(again, wide);
	/* Its first page, one in the middle, its last one; and one that reaches in from below. */
	assert_int_equal(mmio_window_map(&window, paddr(0xe0000000), 1, PROT_UC, &p), ERR_EXISTS);
	assert_int_equal(mmio_window_map(&window, paddr(0xe0800000), 1, PROT_WT, &p), ERR_EXISTS);
	assert_int_equal(mmio_window_map(&window, paddr(0xe0000000 + 16 * M2 - 1), 1, PROT_UC, &p), ERR_EXISTS);
	assert_int_equal(mmio_window_map(&window, paddr(0xdfffffff), 2, PROT_UC, &p), ERR_EXISTS);
	mmio_window_unmap(&window, must_map(0xe0000000 + 16 * M2, 1, PROT_UC));
	mmio_window_unmap(&window, must_map(0xdfffffff, 1, PROT_UC));
	mmio_window_unmap(&window, wide);
	/* The second caller's is still there, and what the first had alone is free. */
	assert_int_equal(mmio_window_map(&window, paddr(0xe0001000), 1, PROT_UC, &p), ERR_EXISTS);
	mmio_window_unmap(&window, must_map(0xe0000000, 1, PROT_UC));
	mmio_window_unmap(&window, again);
	mmio_window_unmap(&window, must_map(0xe0001000, 1, PROT_UC));
}

/* Whatever frame a call does not get, all is as before; and the call that gets them all works. */
static void every_frame_refused(void **state)
{
	static const struct {
		uint64_t pa, size;
	} wanted[] = { { 0xfec00000, 4 }, { 0xe0000000, 4 * M2 }, { 64 * G1 - K4, G1 + 2 * K4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		size_t failures = 0;
		void *p;

		for (;; failures++) {
			size_t before = arena.used, idle = window.windows.idle_count;
			enum status status;

			arena.fail_after = failures;
			status = mmio_window_map(&window, paddr(wanted[i].pa), wanted[i].size, PROT_UC, &p);
			arena.fail_after = SIZE_MAX;
			if (status == OK)
				break;
			assert_int_equal(status, ERR_NO_MEMORY);
			assert_int_equal(arena.used, before);
			assert_int_equal(window.windows.idle_count, idle);
			assert_int_equal(window.windows.count, 0);
		}
		assert_in_range(failures, 1, 9);
		mmio_window_unmap(&window, p);
	}
}

/* Many windows: the books' pages come and go, and those can be refused too. */
static void books_refused(void **state)
{
	enum { MANY = 300 };
	void *p[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		size_t used = arena.used;

		arena.fail_after = 0;
		if (mmio_window_map(&window, paddr(0xfec00000), 1, PROT_UC, &p[i]) == OK) {
			arena.fail_after = SIZE_MAX;
			continue;
		}
		arena.fail_after = SIZE_MAX;
		assert_int_equal(arena.used, used);
		p[i] = must_map(0xfec00000, 1, PROT_UC);
	}
	assert_true(arena.used > 1 + 3 + 4);
	for (size_t i = 0; i < MANY; i++)
		mmio_window_unmap(&window, p[i]);
}

static jmp_buf way_out;
static char message[128];

static void keep_message(const char *format, va_list args)
{
	format_v(message, sizeof(message), format, args);
	longjmp(way_out, 1);
}

static void expect_panic(uintptr_t p)
{
	message[0] = '\0';
	panic_set_handler(keep_message);
	if (!setjmp(way_out))
		mmio_window_unmap(&window, (void *)p);
	assert_non_null(strstr(message, "was not mapped"));
}

static void wrong_pointers_are_named(void **state)
{
	void *p = must_map(8 * G1 - K4, M2 + K4, PROT_UC);

	(void)state;
	expect_panic((uintptr_t)p + K4);
	expect_panic((uintptr_t)p - K4);
	expect_panic(MMIO_BASE);
	expect_panic(HEAP_BASE);
	mmio_window_unmap(&window, p);
	expect_panic((uintptr_t)p);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		T(wrong_types_are_refused),      T(wrong_ranges_are_refused),
		T(ram_of_every_kind_is_refused), T(bytes_keep_their_place_in_the_page),
		T(pages_lie_between_mappings),   T(large_leaves_where_they_fit),
		T(no_1g_leaves_without_the_cpu), T(one_type_a_page),
		T(every_frame_refused),          T(books_refused),
		T(wrong_pointers_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
