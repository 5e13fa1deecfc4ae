/*
 * The window allocator: units, and random operations against a model that keeps one byte a page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/space/window.h"
#include "paging/layout.h"
#include "test/host/random.h"

/* The seam: counts pages, and has only `page_limit` of them. */
static size_t pages_out;
static size_t page_limit = SIZE_MAX;

static void *page_alloc(void *ctx)
{
	(void)ctx;
	if (pages_out >= page_limit)
		return NULL;
	pages_out++;
	return aligned_alloc(PAGE_SIZE, PAGE_SIZE);
}

static void page_free(void *ctx, void *page)
{
	(void)ctx;
	pages_out--;
	free(page);
}

static const struct window_seam seam = { page_alloc, page_free, NULL };

static void the_range_is_checked(void **state)
{
	struct windows w;
	vaddr_t va;

	(void)state;
	assert_int_equal(windows_init(&w, HEAP_BASE + 1, HEAP_SIZE, &seam), ERR_RANGE);
	assert_int_equal(windows_init(&w, HEAP_BASE, HEAP_SIZE - 1, &seam), ERR_RANGE);
	assert_int_equal(windows_init(&w, HEAP_BASE, 0, &seam), ERR_RANGE);
	assert_int_equal(windows_init(&w, IMAGE_BASE, 2 * IMAGE_SIZE, &seam), ERR_RANGE);
	assert_int_equal(windows_init(&w, HEAP_BASE, HEAP_SIZE, &seam), OK);
	assert_int_equal(window_reserve(&w, 0, PAGE_SIZE, WINDOW_GUARD_NONE, &va), ERR_RANGE);
	assert_int_equal(window_reserve(&w, 100, PAGE_SIZE, WINDOW_GUARD_NONE, &va), ERR_RANGE);
	assert_int_equal(window_reserve(&w, PAGE_SIZE, 0, WINDOW_GUARD_NONE, &va), ERR_RANGE);
	assert_int_equal(window_reserve(&w, PAGE_SIZE, 3 * PAGE_SIZE, WINDOW_GUARD_NONE, &va), ERR_RANGE);
	assert_int_equal(window_reserve(&w, PAGE_SIZE, 2 * PAGE_SIZE_1G, WINDOW_GUARD_NONE, &va), ERR_RANGE);
	assert_int_equal(window_reserve(&w, HEAP_SIZE + PAGE_SIZE, PAGE_SIZE, WINDOW_GUARD_NONE, &va), ERR_NO_MEMORY);
	assert_int_equal(window_reserve(&w, HEAP_SIZE, PAGE_SIZE, WINDOW_GUARD_ABOVE, &va), ERR_NO_MEMORY);
	assert_int_equal(window_reserve(&w, HEAP_SIZE, PAGE_SIZE, WINDOW_GUARD_NONE, &va), OK);
	assert_int_equal(va, HEAP_BASE);
	assert_int_equal(w.free_bytes, 0);
	assert_int_equal(window_reserve(&w, PAGE_SIZE, PAGE_SIZE, WINDOW_GUARD_NONE, &va), ERR_NO_MEMORY);
	windows_destroy(&w);
	assert_int_equal(pages_out, 0);
}

static void guards_stay_reserved_and_merge_back(void **state)
{
	struct windows w;
	struct window window;
	vaddr_t a, b;

	(void)state;
	assert_int_equal(windows_init(&w, MMIO_BASE, MMIO_SIZE, &seam), OK);
	assert_int_equal(window_reserve(&w, 4 * PAGE_SIZE, PAGE_SIZE, WINDOW_GUARD_BOTH, &a), OK);
	assert_int_equal(a, MMIO_BASE + PAGE_SIZE);
	assert_int_equal(window_reserve(&w, PAGE_SIZE_2M, PAGE_SIZE_2M, WINDOW_GUARD_BELOW, &b), OK);
	assert_int_equal(b, MMIO_BASE + PAGE_SIZE_2M);
	assert_int_equal(w.free_bytes, MMIO_SIZE - 6 * PAGE_SIZE - PAGE_SIZE_2M - PAGE_SIZE);
	assert_int_equal(w.count, 2);

	assert_int_equal(window_find(&w, a - PAGE_SIZE, &window), OK);
	assert_int_equal(window.base, a);
	assert_int_equal(window.size, 4 * PAGE_SIZE);
	assert_int_equal(window.guard, WINDOW_GUARD_BOTH);
	assert_int_equal(window_find(&w, a + 4 * PAGE_SIZE, &window), OK);
	assert_int_equal(window_find(&w, a + 5 * PAGE_SIZE, &window), ERR_NOT_FOUND);
	assert_int_equal(window_find(&w, MMIO_BASE - 1, &window), ERR_NOT_FOUND);

	assert_int_equal(window_release(&w, a - PAGE_SIZE), ERR_NOT_FOUND);
	assert_int_equal(window_release(&w, a + PAGE_SIZE), ERR_NOT_FOUND);
	assert_int_equal(window_release(&w, a), OK);
	assert_int_equal(window_release(&w, a), ERR_NOT_FOUND);
	assert_int_equal(window_release(&w, b), OK);
	assert_int_equal(w.free_bytes, MMIO_SIZE);
	/* One piece again. */
	assert_int_equal(window_reserve(&w, MMIO_SIZE, PAGE_SIZE, WINDOW_GUARD_NONE, &a), OK);
	windows_destroy(&w);
	assert_int_equal(pages_out, 0);
}

static void a_tight_aligned_hole_is_found(void **state)
{
	struct windows w;
	vaddr_t va, last;

	(void)state;
	/* 16 pages from page 13: 4 aligned to 8 fit only at pages 16 and 24. */
	assert_int_equal(windows_init(&w, 13 * PAGE_SIZE, 16 * PAGE_SIZE, &seam), OK);
	assert_int_equal(window_reserve(&w, 4 * PAGE_SIZE, 8 * PAGE_SIZE, WINDOW_GUARD_NONE, &va), OK);
	assert_int_equal(va, 16 * PAGE_SIZE);
	assert_int_equal(window_reserve(&w, 5 * PAGE_SIZE, 8 * PAGE_SIZE, WINDOW_GUARD_NONE, &last), OK);
	assert_int_equal(last, 24 * PAGE_SIZE);
	assert_int_equal(window_release(&w, va), OK);
	/* The free pieces are 13-23 now: 8 pages at 16 are there exactly. */
	assert_int_equal(window_reserve(&w, 8 * PAGE_SIZE, 8 * PAGE_SIZE, WINDOW_GUARD_NONE, &va), OK);
	assert_int_equal(va, 16 * PAGE_SIZE);
	windows_destroy(&w);
}

/* For every n: with room for n pages of nodes, a reservation that fails leaves all as it was. */
static void no_page_for_nodes_changes_nothing(void **state)
{
	(void)state;
	for (size_t limit = 0; limit < 4; limit++) {
		struct windows w;
		vaddr_t va = 1;
		size_t reserved = 0;
		enum status status;

		page_limit = limit;
		status = windows_init(&w, HEAP_BASE, HEAP_SIZE, &seam);
		assert_int_equal(status, limit ? OK : ERR_NO_MEMORY);
		while (status == OK) {
			uint64_t free_bytes = w.free_bytes;

			status = window_reserve(&w, PAGE_SIZE, PAGE_SIZE_2M, WINDOW_GUARD_NONE, &va);
			if (status == OK)
				reserved++;
			else
				assert_int_equal(w.free_bytes, free_bytes);
		}
		assert_int_equal(status, ERR_NO_MEMORY);
		if (limit) {
			assert_int_equal(w.count, reserved);
			/* Releasing needs no memory, whatever it does. */
			assert_int_equal(window_release(&w, va), OK);
			assert_int_equal(window_reserve(&w, PAGE_SIZE, PAGE_SIZE_2M, WINDOW_GUARD_NONE, &va), OK);
			windows_destroy(&w);
		}
		assert_int_equal(pages_out, 0);
	}
	page_limit = SIZE_MAX;
}

/* ---- against a model ---- */

#define MODEL_PAGES 4096
#define MODEL_BASE  (HEAP_BASE + 5 * PAGE_SIZE) /* so that alignment counts */
#define OPERATIONS  300000

struct model {
	uint8_t taken[MODEL_PAGES];
	struct window windows[MODEL_PAGES];
	size_t count;
	size_t free_pages;
};

static struct random numbers;

static uint64_t random_number(void)
{
	return random_next(&numbers) >> 16;
}

/* Whether `pages`, guards included, fit somewhere with the page after `below` guard pages aligned. */
static bool model_fits(const struct model *m, size_t pages, uint64_t align, size_t below)
{
	size_t run = 0;

	for (size_t end = 1; end <= MODEL_PAGES; end++) {
		run = m->taken[end - 1] ? 0 : run + 1;
		if (run >= pages && is_aligned(MODEL_BASE + (end - pages + below) * PAGE_SIZE, align))
			return true;
	}
	return false;
}

static void model_mark(struct model *m, const struct window *window, uint8_t taken)
{
	size_t first = (window->base - MODEL_BASE) / PAGE_SIZE - (window->guard & WINDOW_GUARD_BELOW ? 1 : 0);
	size_t end =
		(window->base + window->size - MODEL_BASE) / PAGE_SIZE + (window->guard & WINDOW_GUARD_ABOVE ? 1 : 0);

	assert_true(end <= MODEL_PAGES);
	for (size_t i = first; i < end; i++) {
		assert_int_equal(m->taken[i], !taken);
		m->taken[i] = taken;
	}
	if (taken)
		m->free_pages -= end - first;
	else
		m->free_pages += end - first;
}

static void reserve_one(struct windows *w, struct model *m)
{
	enum window_guard guard = (enum window_guard)(random_number() % 4);
	size_t below = guard & WINDOW_GUARD_BELOW ? 1 : 0;
	size_t above = guard & WINDOW_GUARD_ABOVE ? 1 : 0;
	size_t pages = 1 + random_number() % (random_number() % 8 ? 8 : 200);
	uint64_t align = PAGE_SIZE << (random_number() % 3 ? 0 : random_number() % 11);
	struct window window = { 0, pages * PAGE_SIZE, guard };
	enum status status = window_reserve(w, window.size, align, guard, &window.base);

	assert_int_equal(status, model_fits(m, pages + below + above, align, below) ? OK : ERR_NO_MEMORY);
	if (status)
		return;
	assert_true(is_aligned(window.base, align));
	model_mark(m, &window, 1);
	m->windows[m->count++] = window;
}

static void release_one(struct windows *w, struct model *m)
{
	size_t i = random_number() % m->count;
	struct window window = m->windows[i];

	assert_int_equal(window_release(w, window.base), OK);
	model_mark(m, &window, 0);
	m->windows[i] = m->windows[--m->count];
}

static void count_window(void *ctx, const struct window *window)
{
	struct model *m = ctx;

	/* Each must be one that the model has, guards and all: unmark it. */
	model_mark(m, window, 0);
	m->count--;
}

static void random_operations_follow_the_model(void **state)
{
	static struct model m;
	struct windows w;

	(void)state;
	numbers = random_start("windows against the model");
	memset(&m, 0, sizeof(m));
	m.free_pages = MODEL_PAGES;
	assert_int_equal(windows_init(&w, MODEL_BASE, MODEL_PAGES * PAGE_SIZE, &seam), OK);
	for (size_t i = 0; i < OPERATIONS; i++) {
		/* The share of reservations drifts, so that the range is now empty, now full. */
		if (m.count == 0 || random_number() % 100 < 30 + i / 1000 % 5 * 10)
			reserve_one(&w, &m);
		else
			release_one(&w, &m);
		assert_int_equal(w.free_bytes, m.free_pages * PAGE_SIZE);
		assert_int_equal(w.count, m.count);
	}
	window_visit(&w, count_window, &m);
	assert_int_equal(m.count, 0);
	assert_int_equal(m.free_pages, MODEL_PAGES);
	windows_destroy(&w);
	assert_int_equal(pages_out, 0);
}

/* 100,000 windows, and all of them back: the tree stays shallow enough to be quick, and its pages go back. */
static void many_windows(void **state)
{
	enum { COUNT = 100000 };
	static vaddr_t bases[COUNT];
	struct windows w;

	(void)state;
	numbers = random_start("many windows");
	assert_int_equal(windows_init(&w, HEAP_BASE, HEAP_SIZE, &seam), OK);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(window_reserve(&w, 4 * PAGE_SIZE, PAGE_SIZE, WINDOW_GUARD_BELOW, &bases[i]), OK);
	for (size_t i = COUNT; i > 0; i--) {
		size_t j = random_number() % i;

		assert_int_equal(window_release(&w, bases[j]), OK);
		bases[j] = bases[i - 1];
	}
	assert_int_equal(w.free_bytes, HEAP_SIZE);
	assert_true(pages_out <= 3);
	windows_destroy(&w);
	assert_int_equal(pages_out, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_range_is_checked),
		cmocka_unit_test(guards_stay_reserved_and_merge_back),
		cmocka_unit_test(a_tight_aligned_hole_is_found),
		cmocka_unit_test(no_page_for_nodes_changes_nothing),
		cmocka_unit_test(random_operations_follow_the_model),
		cmocka_unit_test(many_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
