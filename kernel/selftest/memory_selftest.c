/*
 * Tests of frames, windows (reserved ranges of virtual addresses) and the heap on the real machine: with real memory,
 * the live page tables and the real TLB. The host tests try more cases. Each test must give back the frames that it
 * takes: selftest_run() counts them.
 * Guard of all state here: the test that runs; tests run one at a time, before there are tasks.
 */
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/kernel_heap.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/selftest/memory_selftests.h"

/* ---- frames ---- */

/*
 * Allocate a frame of this size, and check that it is aligned, in RAM that the allocator may use, has one reference, is
 * counted as not free, and can be written through the direct map up to its end. Passes when no large frame is free.
 */
static bool try_size(enum frame_size size)
{
	uint64_t before = frame_free_count(&machine_frames), frames = frame_size_frames(size);
	volatile uint64_t *last;
	const struct mem_range *r;
	unsigned references;
	paddr_t pa;

	if (frame_alloc(frame_cache_here(), size, &pa) != OK)
		return size != FRAME_4K || selftest_fail("no 4 KiB frame is free");
	r = memmap_find(machine_memmap, pa);
	last = (volatile uint64_t *)hhdm_ptr(paddr_add(pa, frames * PAGE_SIZE)) - 1;
	*last = ~pa.raw;
	references = frame_refs(&machine_frames, size, pa);
	before -= frame_free_count(&machine_frames);
	frame_free(frame_cache_here(), size, pa);
	SELFTEST_CHECK(*last == ~pa.raw || size == FRAME_4K);
	SELFTEST_CHECK(is_aligned(pa.raw, frames * PAGE_SIZE));
	/* Tables of the loader are free once the kernel has replaced them or does not need them. */
	SELFTEST_CHECK(r && (r->type == MEM_USABLE || r->type == MEM_LOADER || r->type == MEM_BOOT_SERVICES ||
			     r->type == MEM_TABLES));
	SELFTEST_CHECK(references == 1 && before == frames);
	return true;
}

static bool each_size_of_frame(void)
{
	return try_size(FRAME_4K) && try_size(FRAME_2M) && try_size(FRAME_1G);
}

#define MANY 600

/* Check that no two frames are the same: each must keep the number that is written into it. */
static bool many_frames_differ(void)
{
	static SCRATCH paddr_t pa[MANY];
	size_t wrong = 0;

	if (frame_alloc_many(frame_cache_here(), MANY, pa) != OK)
		return selftest_fail("no %d frames are free", MANY);
	for (size_t i = 0; i < MANY; i++)
		*(size_t *)hhdm_ptr(pa[i]) = i;
	for (size_t i = 0; i < MANY; i++)
		wrong += *(size_t *)hhdm_ptr(pa[i]) != i;
	frame_free_many(frame_cache_here(), MANY, pa);
	SELFTEST_CHECK(!wrong);
	return true;
}

static bool references_are_counted(void)
{
	unsigned shared, single;
	bool early, late;
	paddr_t pa;

	SELFTEST_CHECK(frame_alloc_4k(frame_cache_here(), &pa) == OK);
	shared = frame_get(frame_cache_here(), FRAME_4K, pa) == OK ? frame_refs(&machine_frames, FRAME_4K, pa) : 0;
	early = shared && frame_put(frame_cache_here(), FRAME_4K, pa);
	single = frame_refs(&machine_frames, FRAME_4K, pa);
	late = frame_put(frame_cache_here(), FRAME_4K, pa);
	SELFTEST_CHECK(shared == 2 && !early && single == 1 && late);
	SELFTEST_CHECK(frame_refs(&machine_frames, FRAME_4K, pa) == 0);
	return true;
}

static bool the_nth_fails_once(void)
{
	struct frame_cache *cache = frame_cache_here();
	enum status status[4];
	paddr_t pa[4];
	uint64_t left;

	frame_fail_nth(cache, 3);
	for (int i = 0; i < 4; i++)
		status[i] = frame_alloc_4k(cache, &pa[i]);
	left = frame_fail_nth(cache, 0);
	for (int i = 0; i < 4; i++)
		if (status[i] == OK)
			frame_free_4k(cache, pa[i]);
	SELFTEST_CHECK(left == 0 && status[0] == OK && status[1] == OK && status[3] == OK);
	SELFTEST_CHECK(status[2] == ERR_NO_MEMORY);
	return true;
}

static const struct selftest frame_tests[] = {
	{ "each size can be had", each_size_of_frame },
	{ "no two are the same", many_frames_differ },
	{ "references are counted", references_are_counted },
	{ "the n-th fails once", the_nth_fails_once },
};

SELFTEST_SUITE(frame, frame_tests);

/* ---- windows ---- */

static bool one_window(uint64_t align)
{
	struct windows *w = &kernel_windows;
	const uint64_t size = 3 * PAGE_SIZE;
	bool guarded, inside;
	struct window found;
	vaddr_t base;

	SELFTEST_CHECK(window_reserve(w, size, align, WINDOW_GUARD_BOTH, &base) == OK);
	inside = base > HEAP_BASE && base - HEAP_BASE < HEAP_SIZE && is_aligned(base, align);
	guarded = window_find(w, base - 1, &found) == OK && found.base == base && found.size == size &&
		  window_find(w, base + size, &found) == OK && found.base == base;
	for (vaddr_t va = base - PAGE_SIZE; va <= base + size; va += PAGE_SIZE) {
		struct mapping m;

		guarded &= space_lookup(&kernel_space, va, &m) == ERR_NOT_FOUND;
	}
	SELFTEST_CHECK(window_release(w, base) == OK);
	SELFTEST_CHECK(inside && guarded);
	return true;
}

static bool windows_come_and_go(void)
{
	uint64_t before = kernel_windows.free_bytes;
	size_t count = kernel_windows.count;
	bool good = one_window(PAGE_SIZE) && one_window(PAGE_SIZE_2M) && one_window(PAGE_SIZE_1G);

	SELFTEST_CHECK(kernel_windows.free_bytes == before && kernel_windows.count == count);
	return good;
}

static const struct selftest window_tests[] = {
	{ "guarded, aligned, empty, and given back", windows_come_and_go },
};

SELFTEST_SUITE(window, window_tests);

/* ---- the heap ---- */

static const size_t sizes[] = { 1, 24, 100, 1000, 4096, 5000, 40000, 300000, 1 << 20, 5 << 20 };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Check that each block keeps what was written to its ends while the other blocks are written to. */
static bool each_size_of_block(void)
{
	uint8_t *blocks[SIZES];
	unsigned wrong = 0;

	for (uint8_t i = 0; i < SIZES; i++) {
		blocks[i] = kmalloc(sizes[i]);
		if (blocks[i])
			blocks[i][0] = blocks[i][sizes[i] - 1] = i;
	}
	for (uint8_t i = 0; i < SIZES; i++) {
		wrong += !blocks[i] || blocks[i][0] != i || blocks[i][sizes[i] - 1] != i;
		kfree(blocks[i]);
	}
	return !wrong || selftest_fail("%u of %zu blocks", wrong, SIZES);
}

static bool blocks_grow_with_their_content(void)
{
	unsigned wrong = 0;
	uint8_t *block = kzalloc(1), *longer;

	SELFTEST_CHECK(block);
	for (size_t size = 2; size <= 4 << 20; size *= 2) {
		longer = krealloc(block, size);
		if (!longer)
			break;
		block = longer;
		wrong += block[size / 2 - 1] != (size > 2 ? 7 : 0);
		block[size - 1] = 7;
	}
	kfree(block);
	SELFTEST_CHECK(longer && !wrong);
	return true;
}

/*
 * Check that the heap's memory is mapped writable and global, with no other right, and that its address is unmapped
 * when it is given back.
 */
static bool memory_is_given_back(void)
{
	struct mapping m = { 0 }, gone;
	uint8_t *block = kmalloc_aligned(3 * PAGE_SIZE_2M, PAGE_SIZE_2M);
	enum status mapped;

	SELFTEST_CHECK(block);
	mapped = space_lookup(&kernel_space, (uintptr_t)block, &m);
	kfree(block);
	heap_trim();
	SELFTEST_CHECK(mapped == OK && m.prot == (PROT_W | PROT_GLOBAL));
	SELFTEST_CHECK(space_lookup(&kernel_space, (uintptr_t)block, &gone) == ERR_NOT_FOUND);
	return true;
}

static const struct selftest heap_tests[] = {
	{ "blocks of every size", each_size_of_block },
	{ "blocks grow with their content", blocks_grow_with_their_content },
	{ "memory is given back", memory_is_given_back },
};

SELFTEST_SUITE(heap, heap_tests);
