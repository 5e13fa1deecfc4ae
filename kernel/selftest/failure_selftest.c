/*
 * Runs each operation with the allocation of its first frame refused, then of its second, and so on, until it asks for
 * no more frames. Each time the operation must succeed or return ERR_NO_MEMORY; and once it is undone, the kernel's
 * mappings and the number of free frames must be as before.
 * Guard of all state here: the test that runs; tests run one at a time, before there are tasks.
 */
#include "kernel/selftest/failure_selftest.h"

#include "kernel/dev/screen.h"
#include "kernel/lib/scratch.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/mm/heap/kernel_heap.h"
#include "kernel/mm/space/firmware_context.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/mmio.h"

/* More frames than any operation here allocates: a loop that counts up to this number makes the test fail. */
#define FRAMES_MAX 20000

struct operation {
	enum status (*run)(void);
	void (*undo)(void); /* called after a run that returned OK */
};

/* ---- the state that must be as before ---- */

struct snapshot {
	uint64_t frames; /* number of free frames */
	uint64_t leaves; /* number of leaves of the kernel context */
	uint64_t hash;   /* a hash of all leaves */
};

static bool add_leaf(void *ctx, const struct mapping *m)
{
	struct snapshot *s = ctx;
	const uint64_t words[] = { m->va, m->pa.raw, (uint64_t)m->level, m->prot };

	s->leaves++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		s->hash = (s->hash ^ words[i]) * 0x100000001b3; /* the FNV hash's prime */
	return true;
}

static struct snapshot look(void)
{
	struct snapshot s = { 0 };
	const struct space_visitor visitor = { .leaf = add_leaf, .ctx = &s };

	heap_trim();
	s.frames = frame_free_count(&machine_frames);
	space_visit(&kernel_space, 0, ~0ULL, &visitor);
	return s;
}

static bool as_before(const struct snapshot *before, uint64_t n)
{
	struct snapshot after = look();

	if (after.frames != before->frames)
		return selftest_fail("frame %llu refused: %llu frames free before, %llu after", (unsigned long long)n,
				     (unsigned long long)before->frames, (unsigned long long)after.frames);
	if (after.leaves != before->leaves || after.hash != before->hash)
		return selftest_fail("frame %llu refused: mappings changed, %llu leaves before, %llu after",
				     (unsigned long long)n, (unsigned long long)before->leaves,
				     (unsigned long long)after.leaves);
	return true;
}

/* ---- how an operation is run without memory ---- */

/* Undo an operation that returned OK; a failed one must have returned ERR_NO_MEMORY. Then compare with `before`. */
static bool settle(const struct operation *o, enum status status, const struct snapshot *before, uint64_t n)
{
	if (status == OK)
		o->undo();
	else if (status != ERR_NO_MEMORY)
		return selftest_fail("frame %llu refused: status %d", (unsigned long long)n, status);
	return as_before(before, n);
}

/* Run the operation with one frame refused: the first, then the second, … It may succeed without that frame. */
static bool refuse_each_frame(const struct operation *o)
{
	const struct snapshot before = look();
	uint64_t left = 0;

	for (uint64_t n = 1; !left; n++) {
		enum status status;

		SELFTEST_CHECK(n < FRAMES_MAX);
		frame_fail_nth(frame_cache_here(), n);
		status = o->run();
		left = frame_fail_nth(frame_cache_here(), 0);
		if (left && status != OK)
			return selftest_fail("no frame refused, and status %d", status);
		if (!settle(o, status, &before, n))
			return false;
	}
	return true;
}

/* Frames that this test has allocated so that memory is short: a list for each size, linked by the first word. */
struct held {
	paddr_t first[FRAME_1G + 1];
};

static void hold_all(struct held *held)
{
	for (int size = FRAME_1G; size >= FRAME_4K; size--) {
		paddr_t pa;

		held->first[size] = paddr(0);
		while (frame_alloc(frame_cache_here(), (enum frame_size)size, &pa) == OK) {
			*(paddr_t *)hhdm_ptr(pa) = held->first[size];
			held->first[size] = pa;
		}
	}
}

/* Free a held frame of a size. Returns false when none is held. */
static bool let_go(struct held *held, enum frame_size size)
{
	paddr_t pa = held->first[size];

	if (!pa.raw)
		return false;
	held->first[size] = *(paddr_t *)hhdm_ptr(pa);
	frame_free(frame_cache_here(), size, pa);
	return true;
}

static void let_all_go(struct held *held)
{
	for (enum frame_size size = FRAME_4K; size <= FRAME_1G; size++)
		while (let_go(held, size))
			;
}

/*
 * Free held frames of 4 KiB until `n` frames are free. Only a few hundred are held in this size, since hold_all() takes
 * larger frames first.
 */
static bool leave_frames(struct held *held, uint64_t n)
{
	while (frame_free_count(&machine_frames) < n) {
		if (!held->first[FRAME_4K].raw)
			return selftest_fail("memory has too few single frames");
		let_go(held, FRAME_4K);
	}
	return true;
}

/* Run the operation with all memory allocated but for `n` frames: for n = 0, then 1, then more, until it succeeds. */
static bool starve(const struct operation *o)
{
	enum status status = ERR_NO_MEMORY;
	uint64_t failures = 0;
	struct held held;
	bool good = true;

	heap_trim();
	hold_all(&held);
	for (uint64_t n = 0; good && status != OK; n += 1 + n / 8) {
		struct snapshot before;

		good = leave_frames(&held, n);
		before = look();
		status = good ? o->run() : OK;
		failures += status != OK;
		good = good && settle(o, status, &before, n);
	}
	let_all_go(&held);
	return good && (failures || selftest_fail("it needs no frame"));
}

static bool try_without_memory(enum status (*run)(void), void (*undo)(void))
{
	const struct operation o = { run, undo };

	/*
	 * Run the operation once without a failure, so that the heap has allocated what it keeps for good before frames
	 * are counted.
	 */
	SELFTEST_CHECK(run() == OK);
	undo();
	return refuse_each_frame(&o) && starve(&o);
}

/* ---- the heap ---- */

/* A size that is mapped by one leaf of 2 MiB and some of 4 KiB. */
#define MORE_THAN_A_LEAF (PAGE_SIZE_2M + 64 * 1024)

static void *blocks; /* list of blocks, linked by the first word of each */

static void free_blocks(void)
{
	while (blocks) {
		void *next = *(void **)blocks;

		kfree(blocks);
		blocks = next;
	}
}

/* Return a number of blocks of `size` bytes for which the heap must grow, however much of it is free. */
static size_t enough(size_t size)
{
	return 3 + 5 * kernel_heap_step() / 4 / size;
}

static enum status alloc_blocks(size_t count, size_t size)
{
	while (count--) {
		void **block = kmalloc(size);

		if (!block) {
			free_blocks();
			return ERR_NO_MEMORY;
		}
		*block = blocks;
		blocks = block;
	}
	return OK;
}

static enum status alloc_small(void)
{
	return alloc_blocks(enough(64), 64);
}

static enum status alloc_pages(void)
{
	return alloc_blocks(enough(4096), 4096);
}

static enum status alloc_medium(void)
{
	return alloc_blocks(enough(300000), 300000);
}

static enum status alloc_large(void)
{
	return alloc_blocks(1, MORE_THAN_A_LEAF);
}

/*
 * Grow a block from a size at which it shares pages with others to one at which it gets pages of its own. When
 * krealloc() fails, the old block must be untouched.
 */
static enum status grow_block(void)
{
	void **block, **longer;

	if (alloc_blocks(1, 100000) != OK)
		return ERR_NO_MEMORY;
	block = blocks;
	longer = krealloc(block, MORE_THAN_A_LEAF);
	if (!longer) {
		ASSERT(*block == NULL);
		free_blocks();
		return ERR_NO_MEMORY;
	}
	blocks = longer;
	return OK;
}

static bool heap_small(void)
{
	return try_without_memory(alloc_small, free_blocks);
}

static bool heap_pages(void)
{
	return try_without_memory(alloc_pages, free_blocks);
}

static bool heap_medium(void)
{
	return try_without_memory(alloc_medium, free_blocks);
}

static bool heap_large(void)
{
	return try_without_memory(alloc_large, free_blocks);
}

static bool heap_grow(void)
{
	return try_without_memory(grow_block, free_blocks);
}

/* ---- contexts ---- */

#define USER_PAGE 0x7fff00000000ULL

static struct context context;
static const struct boot_info *boot;
/* a copy of *boot in which efi_attributes is 0: that table lay in memory which has been given to the frame allocator */
static SCRATCH struct boot_info trial;

static void destroy_context(void)
{
	context_destroy(&context);
}

/* Create a context with one page in the user half, for which tables are allocated. The page is one of the image's. */
static enum status create_context(void)
{
	enum status status = context_create(&context);

	if (status != OK)
		return status;
	status = space_map(&context.space, USER_PAGE, boot->segments[0].pa, 1, PROT_R);
	if (status != OK)
		context_destroy(&context);
	return status;
}

static enum status create_firmware_context(void)
{
	return firmware_context_create(&trial, &context);
}

static bool context_and_tables(void)
{
	return try_without_memory(create_context, destroy_context);
}

static bool firmware_context(void)
{
	return !boot->efi_map_size || try_without_memory(create_firmware_context, destroy_context);
}

/* ---- devices ---- */

static void *device;
static struct screen_memory screen;

static void unmap_device(void)
{
	mmio_unmap(device);
}

/* Map a page at the end of the first 4 GiB, and a range below it that takes a table of 4 KiB leaves. */
static enum status map_device(void)
{
	void *first;
	enum status status = mmio_map(paddr(0x100000000ULL - PAGE_SIZE), PAGE_SIZE, PROT_UC, &first);

	if (status != OK)
		return status;
	status = mmio_map(paddr(0x100000000ULL - PAGE_SIZE_2M - PAGE_SIZE), PAGE_SIZE_2M + PAGE_SIZE, PROT_UC, &device);
	mmio_unmap(first);
	return status;
}

static enum status take_screen(void)
{
	return screen_memory_get(&boot->framebuffer, &screen);
}

static void give_screen(void)
{
	screen_memory_put(&screen);
}

static bool mmio_mappings(void)
{
	return try_without_memory(map_device, unmap_device);
}

static bool screen_memory(void)
{
	return !boot->framebuffer.width || try_without_memory(take_screen, give_screen);
}

void failure_selftest_init(const struct boot_info *info)
{
	boot = info;
	memcpy(&trial, info, sizeof(trial));
	trial.efi_attributes = paddr(0);
}

static const struct selftest tests[] = {
	{ "small blocks", heap_small },
	{ "blocks of a page", heap_pages },
	{ "blocks of 300 KB", heap_medium },
	{ "a block above 2 MiB", heap_large },
	{ "a block that grows", heap_grow },
	{ "a context with tables", context_and_tables },
	{ "the firmware context", firmware_context },
	{ "device memory", mmio_mappings },
	{ "the screen", screen_memory },
};

SELFTEST_SUITE(failure, tests);
