/*
 * The frame allocator and the memory map: what it makes of odd ones, which memory it keeps, what can be added
 * later, and what it says when there is no room for its metadata.
 */
#include "test/host/frame_take.h"

static void test_low_memory(void **state)
{
	struct machine *m = machine_new();
	paddr_t pa, *held;
	size_t low = 0, count = 0;

	(void)state;
	machine_range(m, 0, 640 * KIB, MEM_USABLE);
	machine_range(m, MIB, 32 * MIB, MEM_USABLE);
	machine_range(m, 3 * GIB, 4 * GIB, MEM_MMIO);
	machine_range(m, 4 * GIB, 4 * GIB + 64 * MIB, MEM_USABLE);
	machine_start(m);
	held = malloc(m->frames.total * sizeof(*held));
	assert_int_equal(m->frames.low_page.raw, PAGE_SIZE);

	/* Low frames last, unless asked for. */
	pa = alloc(&m->caches[0], FRAME_4K);
	assert_true(pa.raw >= 4 * GIB);
	frame_free(&m->caches[0], FRAME_4K, pa);
	for (; frame_alloc_low(&m->caches[0], &held[low]) == OK; low++) {
		assert_true(held[low].raw < 4 * GIB);
		assert_int_not_equal(held[low].raw, 0);
		assert_int_not_equal(held[low].raw, PAGE_SIZE);
	}
	assert_int_equal(low, (640 * KIB - 2 * PAGE_SIZE + 31 * MIB) / PAGE_SIZE);
	frame_free_many(&m->caches[0], low, held);
	frame_cache_drain(&m->caches[0]);
	while (frame_alloc(&m->caches[0], FRAME_4K, &held[count]) == OK)
		count++;
	assert_int_equal(count, m->frames.total);
	assert_true(held[0].raw >= 4 * GIB && held[count - 1].raw < 4 * GIB);
	assert_panic(frame_free, &m->caches[0], FRAME_4K, paddr(PAGE_SIZE), "never handed out");
	assert_panic(frame_free, &m->caches[0], FRAME_4K, paddr(0), "never handed out");
	free(held);
	machine_end(m);
}

static void test_add_range(void **state)
{
	struct machine *m = machine_new();
	struct frames *frames = &m->frames;
	uint64_t added, free_before;
	paddr_t pa;

	(void)state;
	machine_range(m, 0x1000, 0x9000, MEM_BOOT_SERVICES);
	machine_range(m, MIB, 3 * MIB + 0x5000, MEM_USABLE);
	machine_range(m, 3 * MIB + 0x5000, 3 * MIB + 0x9000, MEM_LOADER);
	machine_range(m, 3 * MIB + 0x9000, 64 * MIB, MEM_USABLE);
	machine_range(m, GIB, 3 * GIB, MEM_BOOT_SERVICES);
	machine_range(m, 4 * GIB, 5 * GIB, MEM_RESERVED);
	machine_start(m);
	free_before = frame_free_count(frames);
	assert_int_equal(frames->low_page.raw, 0);
	added = 77;

	/* Refused, and nothing has changed. */
	assert_int_equal(frame_add_range(frames, paddr(GIB + 1), paddr(2 * GIB), &added), ERR_RANGE);
	assert_int_equal(frame_add_range(frames, paddr(GIB), paddr(GIB), &added), ERR_RANGE);
	assert_int_equal(frame_add_range(frames, paddr(GIB), paddr(4 * GIB), &added), ERR_RANGE);
	assert_int_equal(frame_add_range(frames, paddr(4 * GIB), paddr(5 * GIB), &added), ERR_RANGE);
	assert_int_equal(frame_add_range(frames, paddr(1ULL << 50), paddr(1ULL << 51), &added), ERR_RANGE);
	assert_int_equal(frame_add_range(frames, paddr(2 * MIB), paddr(3 * MIB), &added), ERR_EXISTS);
	assert_int_equal(frame_add_range(frames, paddr(8 * MIB), paddr(10 * MIB), &added), ERR_EXISTS);
	assert_int_equal(frame_add_range(frames, paddr(3 * MIB), paddr(3 * MIB + 0x9000), &added), ERR_EXISTS);
	assert_int_equal(frame_free_count(frames), free_before);
	assert_int_equal(added, 77);

	/* A part of a block; then the whole block is free. */
	assert_int_equal(frame_add_range(frames, paddr(3 * MIB + 0x5000), paddr(3 * MIB + 0x9000), &added), OK);
	assert_int_equal(added, 4);
	assert_int_equal(frame_add_range(frames, paddr(3 * MIB + 0x8000), paddr(3 * MIB + 0x9000), &added), ERR_EXISTS);
	/* The page below 1 MiB is taken from what comes first. */
	assert_int_equal(frame_add_range(frames, paddr(0x1000), paddr(0x9000), &added), OK);
	assert_int_equal(added, 7);
	assert_int_equal(frames->low_page.raw, 0x1000);
	assert_int_equal(frame_add_range(frames, paddr(0x1000), paddr(0x2000), &added), ERR_EXISTS);
	/* A whole region, a part of one, and what is missing of it. */
	assert_int_equal(frame_add_range(frames, paddr(GIB), paddr(2 * GIB), &added), OK);
	assert_int_equal(added, 262144);
	assert_int_equal(frame_add_range(frames, paddr(GIB), paddr(2 * GIB), &added), ERR_EXISTS);
	assert_int_equal(frame_add_range(frames, paddr(GIB + 0x1000), paddr(GIB + 0x2000), &added), ERR_EXISTS);
	assert_int_equal(frame_add_range(frames, paddr(2 * GIB + 0x3000), paddr(3 * GIB), &added), OK);
	assert_int_equal(added, 262141);
	assert_int_equal(frame_add_range(frames, paddr(2 * GIB), paddr(2 * GIB + 0x3000), &added), OK);
	assert_int_equal(added, 3);
	assert_int_equal(frame_free_count(frames), free_before + 4 + 7 + 2 * 262144);
	assert_int_equal(frame_free_count(frames), frames->total);

	/* What was added piece by piece is whole. */
	for (int i = 0; i < 2; i++)
		alloc(&m->caches[0], FRAME_1G);
	assert_int_equal(frame_alloc(&m->caches[0], FRAME_1G, &pa), ERR_NO_MEMORY);
	/* Handed out is "added before", too. */
	assert_int_equal(frame_add_range(frames, paddr(GIB), paddr(2 * GIB), &added), ERR_EXISTS);
	for (int i = 0; i < 30; i++)
		alloc(&m->caches[0], FRAME_2M);
	assert_int_equal(frame_add_range(frames, paddr(8 * MIB), paddr(10 * MIB), &added), ERR_EXISTS);
	machine_end(m);
}

/* Whatever the map looks like: the frames of its usable ranges, less what is kept, are all there is. */
static void check_map(struct machine *m)
{
	uint64_t usable = 0, kept = 0;
	struct frames *frames = &m->frames;
	paddr_t *held;
	size_t count;

	for (size_t i = 0; i < m->map.count; i++)
		if (m->ranges[i].type == MEM_USABLE)
			usable += (m->ranges[i].end - m->ranges[i].start) / PAGE_SIZE;
	kept = (frames->low_page.raw != 0) + in_usable(m, 0, PAGE_SIZE);
	assert_int_equal(frames->total + frames->metadata / PAGE_SIZE + frames->left_out + kept, usable);
	assert_int_equal(frame_free_count(frames), frames->total);

	held = malloc((frames->total + 1) * sizeof(*held));
	for (int size = FRAME_1G; size >= FRAME_4K; size--) {
		count = take_all(m, size, held);
		give_all(m, size, held, count);
		assert_int_equal(frame_free_count(frames), frames->total);
	}
	free(held);
}

static void test_odd_maps(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	/* Single pages, a range that ends one page into a block and one into a region, holes of a page. */
	machine_range(m, 0, PAGE_SIZE, MEM_USABLE);
	machine_range(m, 0x3000, 0x4000, MEM_USABLE);
	machine_range(m, 0x9000, 0xa000, MEM_USABLE);
	machine_range(m, 2 * MIB - PAGE_SIZE, 2 * MIB + PAGE_SIZE, MEM_USABLE);
	machine_range(m, 2 * MIB + 2 * PAGE_SIZE, 2 * MIB + 3 * PAGE_SIZE, MEM_USABLE);
	machine_range(m, 9 * MIB + PAGE_SIZE, 9 * MIB + 3 * PAGE_SIZE, MEM_RUNTIME_DATA);
	machine_range(m, 64 * MIB - PAGE_SIZE, 64 * MIB + PAGE_SIZE, MEM_USABLE);
	machine_range(m, GIB - 3 * MIB, GIB + PAGE_SIZE, MEM_USABLE);
	machine_range(m, 2 * GIB, 2 * GIB + PAGE_SIZE, MEM_USABLE);
	machine_start(m);
	check_map(m);
	machine_end(m);

	m = machine_new();
	machine_range(m, 2 * MIB, 2 * MIB + 6 * PAGE_SIZE, MEM_USABLE);
	machine_start(m);
	check_map(m);
	/* Half of so little goes into the books of its region: the counts of references, and of their batches. */
	assert_int_equal(m->frames.total, 3);
	machine_end(m);
}

/* Metadata finds no place: the memory is left out, and the rest works. Or nothing does, and that is said. */
static void test_no_room(void **state)
{
	struct machine *m = machine_new();

	(void)state;
	machine_range(m, MIB, MIB + 16 * PAGE_SIZE, MEM_USABLE);
	for (int i = 0; i < 20; i++) {
		machine_range(m, (10 + 2 * i) * GIB, (10 + 2 * i) * GIB + PAGE_SIZE, MEM_USABLE);
		machine_range(m, (11 + 2 * i) * GIB - PAGE_SIZE, (11 + 2 * i) * GIB, MEM_USABLE);
	}
	machine_start(m);
	assert_true(m->frames.left_out > 0);
	check_map(m);
	machine_end(m);

	m = machine_new();
	machine_range(m, 0, 640 * KIB, MEM_USABLE);
	machine_range(m, MIB, GIB, MEM_RESERVED);
	machine_memory(m);
	assert_int_equal(frame_init(&m->frames, &m->map, (uintptr_t)m->memory), ERR_NO_MEMORY);
	machine_end(m);

	m = machine_new();
	machine_range(m, MIB, MIB + PAGE_SIZE, MEM_USABLE);
	machine_range(m, 1ULL << 40, (1ULL << 40) + PAGE_SIZE, MEM_USABLE);
	machine_memory(m);
	assert_int_equal(frame_init(&m->frames, &m->map, (uintptr_t)m->memory - m->start), ERR_NO_MEMORY);
	machine_end(m);
}

static void test_beyond_the_direct_map(void **state)
{
	uint64_t top = 1ULL << 44;
	struct machine *m = machine_new();
	uint64_t added;

	(void)state;
	machine_range(m, top - 32 * MIB, top + 8 * MIB, MEM_USABLE);
	machine_range(m, top + 16 * MIB, top + 24 * MIB, MEM_USABLE);
	machine_start(m);
	assert_int_equal(m->frames.left_out, 16 * MIB / PAGE_SIZE);
	assert_int_equal(frame_add_range(&m->frames, paddr(top + 30 * MIB), paddr(top + 31 * MIB), &added), ERR_RANGE);
	check_map(m);
	machine_end(m);
}

static void test_random_maps(void **state)
{
	struct random random = random_start("frame: random maps");

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct machine *m = machine_new();
		uint64_t at = random_below(&random, 4) ? random_below(&random, 3 * GIB) & ~(PAGE_SIZE - 1) : 0;
		int count = 1 + random_below(&random, 30);

		for (int i = 0; i < count; i++) {
			uint64_t most = random_below(&random, 3) ? 64 : random_below(&random, 4) ? 4096 : 140000;
			uint64_t pages = 1 + random_below(&random, most);
			enum mem_type type = random_below(&random, 4)
						     ? MEM_USABLE
						     : (enum mem_type)(MEM_BOOT_SERVICES + random_below(&random, 8));

			machine_range(m, at, at + pages * PAGE_SIZE, type);
			at += (pages + 1 + random_below(&random, most)) * PAGE_SIZE;
		}
		machine_range(m, at, at + 2 * MIB, MEM_USABLE);
		machine_start(m);
		check_map(m);
		machine_end(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_low_memory),
		cmocka_unit_test(test_add_range),
		cmocka_unit_test(test_odd_maps),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_beyond_the_direct_map),
		cmocka_unit_test(test_random_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
