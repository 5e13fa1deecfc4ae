/*
 * The heap under random operations, against a model that knows every block and its content; and with a backend that
 * fails: at every n-th call, and for good when memory is used up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mm/heap/heap_internal.h"
#include "test/host/heap_host.h"
#include "test/host/random.h"

#define SLOTS      4000
#define OPERATIONS 3000000
#define LIVE_MAX   (256ULL << 20) /* bytes asked for at once */

struct block {
	uint8_t *start;
	size_t size;
	uint64_t stamp; /* what its content was made from */
	struct cache *cache;
};

static struct heap_host host;
static struct random numbers;
static struct block blocks[SLOTS];
static uint64_t live;
static struct cache caches[2];

/* Content is checked where damage would show: the whole of a small block, both ends and a sample of a large one. */
static size_t stride(const struct block *b)
{
	return b->size <= 256 ? 8 : b->size / 32;
}

static uint64_t content(const struct block *b, size_t at)
{
	return (b->stamp + at) * 0x9e3779b97f4a7c15;
}

static void write_content(struct block *b)
{
	b->stamp = random_next(&numbers);
	for (size_t at = 0; at + 8 <= b->size; at += stride(b)) {
		uint64_t value = content(b, at);

		memcpy(b->start + at, &value, 8);
	}
	b->start[b->size - 1] = (uint8_t)b->stamp;
}

/* Check the content up to `size`, of what was `b`. */
static void check_content(const struct block *b, size_t size)
{
	for (size_t at = 0; at + 8 <= size; at += stride(b)) {
		uint64_t value = content(b, at);

		if (at + 8 == b->size)
			value = (value & ~(0xffULL << 56)) | (uint64_t)(uint8_t)b->stamp << 56;
		else if (at + 8 > b->size - 1)
			break;
		assert_memory_equal(b->start + at, &value, 8);
	}
	if (size == b->size)
		assert_int_equal(b->start[size - 1], (uint8_t)b->stamp);
}

static size_t random_size(void)
{
	uint64_t dice = random_below(&numbers, 10000);

	if (dice < 7500)
		return 1 + random_below(&numbers, 600);
	if (dice < 9500)
		return 1 + random_below(&numbers, 9000);
	if (dice < 9960)
		return 1 + random_below(&numbers, 200000);
	if (dice < 9999)
		return 1 + random_below(&numbers, 4 << 20);
	return 1 + random_below(&numbers, 40 << 20);
}

static bool allocate(struct block *b)
{
	uint64_t dice = random_below(&numbers, 20);

	b->size = random_size();
	b->cache = NULL;
	if (dice == 0) {
		size_t align = 1ULL << random_below(&numbers, 23);

		b->start = kmalloc_aligned(b->size, align);
		assert_true(is_aligned((uintptr_t)b->start, align));
	} else if (dice == 1) {
		b->start = kzalloc(b->size);
		for (size_t at = 0; b->start && at < b->size; at += stride(b))
			assert_int_equal(b->start[at], 0);
	} else if (dice <= 3) {
		b->cache = &caches[dice - 2];
		b->size = b->cache->size;
		b->start = cache_alloc(b->cache);
	} else {
		b->start = kmalloc(b->size);
	}
	if (!b->start)
		return false;
	live += b->size;
	write_content(b);
	return true;
}

static void release(struct block *b)
{
	check_content(b, b->size);
	live -= b->size;
	if (b->cache)
		cache_free(b->cache, b->start);
	else
		kfree(b->start);
	b->start = NULL;
}

static bool reallocate(struct block *b)
{
	struct block old = *b;
	size_t size = random_size();
	uint8_t *start = krealloc(b->start, size);

	if (!start) {
		check_content(&old, old.size);
		return false;
	}
	old.start = start;
	check_content(&old, old.size < size ? old.size : size);
	live = live - old.size + size;
	*b = (struct block){ .start = start, .size = size };
	write_content(b);
	return true;
}

/* One operation on one slot. False: no memory. */
static bool operate(struct block *b)
{
	if (!b->start)
		return live >= LIVE_MAX || allocate(b);
	if (random_below(&numbers, 8) == 0 && !b->cache && live < LIVE_MAX)
		return reallocate(b);
	release(b);
	return true;
}

static void start(uint64_t step)
{
	heap_host_init(&host, step);
	memset(blocks, 0, sizeof(blocks));
	live = 0;
	assert_int_equal(cache_init(&caches[0], "a", 56, 8), OK);
	assert_int_equal(cache_init(&caches[1], "b", 320, 64), OK);
}

/* Free everything; all goes back but the magazines' links. */
static void finish(void)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (blocks[i].start)
			release(&blocks[i]);
	}
	heap_check();
	heap_trim();
	assert_int_equal(live, 0);

	struct heap_stats stats = heap_get_stats();

	assert_int_equal(stats.mapped, host.mapped);
	assert_int_equal(stats.free, 0);
	assert_int_equal(stats.mapped, stats.metadata);
	assert_int_equal(host.mapped, heap.link_pages * PAGE_SIZE);
	assert_int_equal(host.windows.count, 1);
	heap_host_destroy(&host);
}

static void follow_the_model(uint64_t step)
{
	start(step);
	numbers = random_start("heap against the model");
	for (size_t i = 0; i < OPERATIONS; i++) {
		/* The part of the slots in use drifts, so that the heap grows and shrinks. */
		size_t slots = 1 + (i >> 6) % SLOTS;

		assert_true(operate(&blocks[random_below(&numbers, slots)]));
		if (i % (OPERATIONS / 16) == 0)
			heap_tick();
		if (i % (OPERATIONS / 5) == 0) {
			heap_trim();
			heap_check();
		}
	}
	finish();
}

static void random_operations(void **state)
{
	(void)state;
	follow_the_model(PAGE_SIZE_2M);
}

static void random_operations_in_small_steps(void **state)
{
	(void)state;
	follow_the_model(64 << 10);
}

/* The same list of operations with the n-th call of the backend failing, for every n until none fails. */
static void every_nth_call_fails(void **state)
{
	uint64_t seed = random_start("heap with every n-th call failing").state;

	(void)state;
	for (uint64_t n = 1;; n++) {
		bool failed;

		start(n % 2 ? 64 << 10 : PAGE_SIZE_2M);
		numbers.state = seed;
		host.fail_at = host.calls + n;
		for (size_t i = 0; i < 3000; i++)
			operate(&blocks[random_below(&numbers, 500)]);
		failed = host.calls >= host.fail_at;
		finish();
		if (!failed)
			break;
	}
}

/* Little memory: allocations fail again and again, blocks stay whole, and memory that is freed can be had again. */
static void memory_runs_out(void **state)
{
	(void)state;
	start(PAGE_SIZE_2M);
	numbers = random_start("heap without memory");
	host.fail_above = 24 << 20;

	size_t refused = 0;

	for (size_t i = 0; i < OPERATIONS / 10; i++)
		refused += !operate(&blocks[random_below(&numbers, SLOTS)]);
	assert_true(refused > 0);
	assert_true(host.most <= 24 << 20);
	for (size_t i = 0; i < SLOTS; i++) {
		if (blocks[i].start)
			release(&blocks[i]);
	}

	/*
	 * Nothing that idles in the heap stands in the way of a large block, once the heap has been trimmed, as the
	 * kernel does before a call that was refused memory is made again.
	 */
	heap_check();
	heap_trim();

	void *big = kmalloc(20 << 20);

	assert_non_null(big);
	kfree(big);
	finish();
}

/*
 * 4 KiB more at a time: with room for only that many pages, a small block can be had as soon as a chunk's books
 * and one page fit, whatever the step: 4 KiB leaves where it must.
 */
static void a_step_that_does_not_fit_is_cut(void **state)
{
	(void)state;
	start(PAGE_SIZE_2M);
	host.fail_above = 256 << 10;

	void *block = kmalloc(1000);

	assert_non_null(block);
	assert_true(host.mapped <= 256 << 10);
	kfree(block);
	finish();
}

/*
 * Trimming destroys a chunk of which no page is in use, even if it first has too many free pages for that, in two runs:
 * the first run, which shares a leaf with the chunk's bookkeeping, cannot be unmapped alone.
 */
static void a_chunk_that_trimming_empties_goes(void **state)
{
	(void)state;
	start(PAGE_SIZE_2M);

	void *first = kmalloc((LEAF_PAGES - CHUNK_BOOK_PAGES) * PAGE_SIZE), *hole = kmalloc(PAGE_SIZE_2M);

	/* Without memory for a whole step, only the block's own pages are mapped. */
	host.fail_at = host.calls + 1;

	void *last = kmalloc(400 << 10);

	assert_true(first && hole && last);
	kfree(hole);
	heap_trim();
	kfree(first);
	kfree(last);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(random_operations_in_small_steps),
		cmocka_unit_test(every_nth_call_fails),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(a_step_that_does_not_fit_is_cut),
		cmocka_unit_test(a_chunk_that_trimming_empties_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
