/*
 * Magazines: arrays of block pointers. A CPU allocates from and frees into its loaded magazine with a handful of
 * instructions (heap.c); this file is called when that magazine is empty or full. It swaps the magazine with the CPU's
 * spare one, or takes a full one from a depot (a lock-free stack of full magazines for each class, shared by all CPUs)
 * or puts one there; if that does not help, it goes to the slabs.
 *
 * So four atomic operations pass the 63 blocks of a magazine from a CPU that frees them to one that allocates them, and
 * nobody reads or writes a block on the way (Bonwick and Adams, "Magazines and Vmem").
 *
 * The links of the stacks lie apart from the magazines, in memory that is never unmapped: a CPU may still read the link
 * of a magazine that another has just popped; the count beside the stack's top then makes its exchange fail. A magazine
 * itself is touched only by the CPU that holds it, so a page of idle ones can be unmapped.
 */
#include "kernel/mm/heap/heap_depot.h"
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"

/* How many full magazines the depot of a class may hold whatever DEPOT_FRACTION says. */
#define DEPOT_MIN 2

/*
 * The magazines of a depot may take at most 1/32 of the memory of the class's slabs. The limit matters for small
 * blocks: a magazine takes 512 bytes, and full of blocks of 16 bytes it holds only about 1 KiB.
 */
#define DEPOT_FRACTION 32

/* How many empty magazines move from a CPU's list to the common one, when the list has more than twice as many. */
#define EMPTY_BATCH 4

/*
 * Before the heap grows, magazines of the depots are emptied if the blocks in all of them are at least 1/64 of the
 * heap: giving those blocks back may make enough pages free.
 */
#define IDLE_FRACTION 64

/*
 * The most blocks, and bytes of blocks, that are moved from magazines to the slabs at a time, since other tasks wait
 * meanwhile: it takes some 160,000 instructions, and not many more to give back the pages that become free.
 */
#define DRAIN_BLOCKS 2048
#define DRAIN_BYTES  (1ULL << 20)

/* How many pages of magazines are unmapped at a time. */
#define TRIM_PAGES 64

/* How many pages of magazines have their links in one page. */
#define LINKED_PAGES (PAGE_SIZE / sizeof(struct magazine_link) / PAGE_MAGAZINES)

/* ---- empty magazines: a list on each CPU, and a common one between them ---- */

void magazines_init(void)
{
	/* Number 0 means "no magazine": its page counts as mapped, and is never used. */
	heap.magazine_pages[0] = 1;
}

static void add_empty(struct heap_cpu *cpu, uint32_t number)
{
	heap.links[number].next = cpu->empty;
	cpu->empty = number;
	cpu->empty_count++;
}

/*
 * Move `count` magazines of this CPU's list to the common one, all by one exchange, since each exchange moves cache
 * lines between CPUs.
 */
static void share_empty(struct heap_cpu *cpu, uint32_t count)
{
	uint32_t first = cpu->empty;
	uint32_t last = first;
	uint32_t old = __atomic_load_n(&heap.empty_magazines, __ATOMIC_RELAXED);

	if (count == 0)
		return;
	for (uint32_t i = 1; i < count; i++)
		last = heap.links[last].next;
	cpu->empty = heap.links[last].next;
	cpu->empty_count -= count;
	do {
		__atomic_store_n(&heap.links[last].next, old, __ATOMIC_RELAXED);
	} while (!__atomic_compare_exchange_n(&heap.empty_magazines, &old, first, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

/*
 * Take the whole common list; this CPU's own list must be empty. Nobody ever takes a part of the common list, so the
 * ABA problem does no harm to share_empty(): a number that was taken and has come back is the list's first one again,
 * and the link to it is right.
 */
static void take_shared(struct heap_cpu *cpu)
{
	uint32_t number = __atomic_exchange_n(&heap.empty_magazines, 0, __ATOMIC_ACQUIRE);

	cpu->empty = number;
	for (; number; number = heap.links[number].next)
		cpu->empty_count++;
}

/*
 * Map a page of magazines, and the page of their links if it is not mapped. Returns the number of the page of
 * magazines; 0: there is no memory, or all such pages are mapped. The caller holds heap.lock.
 */
static uint32_t map_magazines(void)
{
	uint32_t word = 0;

	while (word < MAGAZINE_PAGES / 64 && heap.magazine_pages[word] == ~0ULL)
		word++;
	if (word == MAGAZINE_PAGES / 64)
		return 0;

	uint64_t bit = ~heap.magazine_pages[word] & (heap.magazine_pages[word] + 1);
	uint32_t page = word * 64 + (uint32_t)__builtin_ctzll(bit);

	/*
	 * The lowest unmapped page is always taken first, so pages of links are mapped in order, too: if this page's
	 * links are not mapped, they lie in the next page of links, number heap.link_pages.
	 */
	if (page / LINKED_PAGES == heap.link_pages) {
		if (!chunk_map((vaddr_t)heap.links + heap.link_pages * PAGE_SIZE, 1))
			return 0;
		heap.link_pages++;
		heap.book_pages++;
	}
	if (!chunk_map((vaddr_t)&heap.magazines[page * PAGE_MAGAZINES], 1))
		return 0;
	heap.magazine_pages[word] |= bit;
	heap.book_pages++;
	return page;
}

static void make_magazines(struct heap_cpu *cpu)
{
	heap_lock(&heap.lock);

	uint32_t page = map_magazines();

	heap_unlock(&heap.lock);
	for (uint32_t i = 0; page && i < PAGE_MAGAZINES; i++)
		add_empty(cpu, page * (uint32_t)PAGE_MAGAZINES + i);
}

/* Take an empty magazine; returns its number, or 0. */
static uint32_t get_empty(struct heap_cpu *cpu)
{
	if (!cpu->empty)
		take_shared(cpu);
	if (!cpu->empty)
		make_magazines(cpu);

	uint32_t number = cpu->empty;

	if (number) {
		cpu->empty = heap.links[number].next;
		cpu->empty_count--;
	}
	return number;
}

static void put_empty(struct heap_cpu *cpu, uint32_t number)
{
	add_empty(cpu, number);
	if (cpu->empty_count > 2 * EMPTY_BATCH)
		share_empty(cpu, EMPTY_BATCH);
}

/* ---- this CPU's two magazines of a class ---- */

/*
 * Take blocks from the slabs. If there are none, empty magazines of the depots, which may give this class's slabs
 * blocks or a page; let the heap grow only if that does not help.
 */
static size_t take_blocks(struct heap_cpu *cpu, uint32_t class_id, void **blocks, size_t count)
{
	size_t taken = slab_take(class_id, blocks, count, PAGES_MAPPED);

	if (!taken && magazines_drain_before_growing(cpu))
		taken = slab_take(class_id, blocks, count, PAGES_MAPPED);
	return taken ? taken : slab_take(class_id, blocks, count, PAGES_GROW);
}

static uint32_t number_of(uintptr_t top)
{
	return top ? (uint32_t)((struct magazine *)(top & ~(MAGAZINE_SIZE - 1)) - heap.magazines) : 0;
}

static uint32_t count_of(uintptr_t top)
{
	return (uint32_t)((top & (MAGAZINE_SIZE - 1)) / sizeof(void *));
}

static uintptr_t top_of(uint32_t number, uint32_t count)
{
	return (uintptr_t)&heap.magazines[number] + count * sizeof(void *);
}

static void *pop(struct heap_cpu *cpu, uint32_t class_id)
{
	void *block = *(void **)cpu->loaded[class_id].top;

	cpu->loaded[class_id].top -= sizeof(void *);
	return block;
}

static void push(struct heap_cpu *cpu, uint32_t class_id, void *block)
{
	cpu->loaded[class_id].top += sizeof(void *);
	*(void **)cpu->loaded[class_id].top = block;
}

static void set_loaded(struct heap_cpu *cpu, uint32_t class_id, uint32_t number, uint32_t count)
{
	cpu->loaded[class_id] = (struct heap_loaded){
		.top = top_of(number, count),
		.full = top_of(number, heap_classes[class_id].capacity),
	};
}

/* Make this magazine the loaded one; the one that was loaded becomes the spare. */
static void load(struct heap_cpu *cpu, uint32_t class_id, uint32_t number, uint32_t count)
{
	uintptr_t top = cpu->loaded[class_id].top;

	cpu->spare[class_id] = (struct heap_spare){ number_of(top), count_of(top) };
	set_loaded(cpu, class_id, number, count);
}

/* Prefetch all cache lines of a magazine that comes from a depot: most likely another CPU has filled it. */
static void prefetch(uint32_t number, uint32_t count)
{
	const char *m = (const char *)&heap.magazines[number];

	for (size_t at = 0; at <= count * sizeof(void *); at += 64)
		__builtin_prefetch(m + at);
}

/* heap.c calls this when the loaded magazine is empty, or when none is loaded. */
void *magazine_refill(struct heap_cpu *cpu, uint32_t class_id)
{
	struct size_class *c = &heap_classes[class_id];
	struct heap_spare spare = cpu->spare[class_id];
	void *block;

	if (class_id == 0)
		return NULL;
	if (spare.count) {
		load(cpu, class_id, spare.number, spare.count);
		return pop(cpu, class_id);
	}

	uint32_t full = stack_pop(&c->depot);

	if (full) {
		prefetch(full, c->capacity);
		if (spare.number)
			put_empty(cpu, spare.number);
		load(cpu, class_id, full, c->capacity);
		return pop(cpu, class_id);
	}
	if (!cpu->loaded[class_id].top) {
		uint32_t number = get_empty(cpu);

		if (!number)
			return take_blocks(cpu, class_id, &block, 1) ? block : NULL;
		set_loaded(cpu, class_id, number, 0);
	}

	struct magazine *m = &heap.magazines[number_of(cpu->loaded[class_id].top)];
	size_t taken = take_blocks(cpu, class_id, m->blocks, c->capacity);

	if (!taken)
		return NULL;
	cpu->loaded[class_id].top += taken * sizeof(void *);
	return pop(cpu, class_id);
}

void *magazine_bypass(struct heap_cpu *cpu, uint32_t class_id)
{
	void *block;

	return class_id && take_blocks(cpu, class_id, &block, 1) ? block : NULL;
}

/* Put a full magazine into the class's depot, where other CPUs find it. Returns false when the depot has enough. */
static bool give_to_depot(struct size_class *c, uint32_t number)
{
	uint64_t bytes = __atomic_load_n(&c->slabs, __ATOMIC_RELAXED) * c->slab_pages * PAGE_SIZE;
	uint64_t most = bytes / DEPOT_FRACTION / MAGAZINE_SIZE;

	if (stack_depth(&c->depot) >= (most > DEPOT_MIN ? most : DEPOT_MIN))
		return false;
	stack_push(&c->depot, number);
	return true;
}

/*
 * Get an empty magazine for a class whose loaded magazine is full, or that has none. A full spare goes to the depot, or
 * is emptied into the slabs and returned. Returns the magazine's number, or 0.
 */
static uint32_t make_room(struct heap_cpu *cpu, uint32_t class_id)
{
	uint32_t spare = cpu->spare[class_id].number;

	if (!spare)
		return get_empty(cpu);
	cpu->spare[class_id] = (struct heap_spare){ 0 };
	if (give_to_depot(&heap_classes[class_id], spare))
		return get_empty(cpu);
	slab_give(class_id, heap.magazines[spare].blocks, heap_classes[class_id].capacity);
	return spare;
}

/* heap.c calls this when the loaded magazine is full, or when none is loaded. */
void magazine_spill(struct heap_cpu *cpu, uint32_t class_id, void *block)
{
	struct heap_spare spare = cpu->spare[class_id];
	uint32_t empty = 0;

	/*
	 * While a test waits for an allocation to fail (heap_fail_nth()), no magazine is loaded, so that each
	 * allocation takes the slow path, which counts down to the failure.
	 */
	if (!heap.fail_in)
		empty = spare.number && spare.count == 0 ? spare.number : make_room(cpu, class_id);
	if (!empty) {
		slab_give(class_id, &block, 1);
		return;
	}
	load(cpu, class_id, empty, 0);
	push(cpu, class_id, block);
}

/* ---- emptying ---- */

static void drain(struct heap_cpu *cpu, uint32_t class_id, uint32_t number, uint32_t count)
{
	if (!number)
		return;
	slab_give(class_id, heap.magazines[number].blocks, count);
	put_empty(cpu, number);
}

void magazines_drain_cpu(struct heap_cpu *cpu)
{
	for (uint32_t id = 1; id < HEAP_CLASSES; id++) {
		uintptr_t top = cpu->loaded[id].top;

		drain(cpu, id, number_of(top), count_of(top));
		drain(cpu, id, cpu->spare[id].number, cpu->spare[id].count);
		cpu->loaded[id] = (struct heap_loaded){ 0 };
		cpu->spare[id] = (struct heap_spare){ 0 };
	}
	share_empty(cpu, cpu->empty_count);
}

bool magazines_drain_some(struct heap_cpu *cpu)
{
	uint64_t blocks = 0, bytes = 0;

	for (uint32_t id = 1; id < HEAP_CLASSES; id++) {
		const struct size_class *c = &heap_classes[id];
		uint32_t number;

		while (blocks < DRAIN_BLOCKS && bytes < DRAIN_BYTES &&
		       (number = stack_pop(&heap_classes[id].depot)) != 0) {
			drain(cpu, id, number, c->capacity);
			blocks += c->capacity;
			bytes += (uint64_t)c->capacity * c->size;
		}
	}
	return blocks > 0;
}

bool magazines_trim_some(struct heap_cpu *cpu)
{
	size_t unmapped = 0;
	/* how many magazines of each page are empty; 0 also for a page that a later call is to unmap */
	uint8_t idle[MAGAZINE_PAGES] = { 0 };
	uint32_t number, next;

	share_empty(cpu, cpu->empty_count);
	take_shared(cpu);
	for (number = cpu->empty; number; number = heap.links[number].next)
		idle[number / PAGE_MAGAZINES]++;
	number = cpu->empty;
	cpu->empty = 0;
	cpu->empty_count = 0;
	for (uint32_t page = 0; page < MAGAZINE_PAGES; page++) {
		if (idle[page] == PAGE_MAGAZINES && ++unmapped > TRIM_PAGES)
			idle[page] = 0;
	}
	for (; number; number = next) {
		next = heap.links[number].next;
		if (idle[number / PAGE_MAGAZINES] < PAGE_MAGAZINES)
			add_empty(cpu, number);
	}
	share_empty(cpu, cpu->empty_count);
	heap_lock(&heap.lock);
	for (uint32_t page = 0; page < MAGAZINE_PAGES; page++) {
		if (idle[page] < PAGE_MAGAZINES)
			continue;
		heap.magazine_pages[page / 64] &= ~(1ULL << (page % 64));
		heap.book_pages--;
		chunk_unmap((vaddr_t)&heap.magazines[page * PAGE_MAGAZINES], 1);
	}
	heap_unlock(&heap.lock);
	return unmapped > TRIM_PAGES;
}

bool magazines_drain_before_growing(struct heap_cpu *cpu)
{
	uint64_t idle = 0;

	for (uint32_t id = 1; id < HEAP_CLASSES; id++) {
		struct size_class *c = &heap_classes[id];

		idle += (uint64_t)stack_depth(&c->depot) * c->capacity * c->size;
	}
	if (idle * IDLE_FRACTION < __atomic_load_n(&heap.mapped_pages, __ATOMIC_RELAXED) * PAGE_SIZE)
		return false;
	return magazines_drain_some(cpu);
}
