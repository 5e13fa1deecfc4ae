/*
 * Size classes: which sizes of blocks there are, how their slabs (runs of pages cut into blocks) are cut, which class a
 * size belongs to; and the caches, each with a class of its own. Hands out no block.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/string.h"

#define FINE_CLASSES     (SMALL_FINE_MAX / SMALL_STEP)
#define CLASSES_DOUBLING 8
#define KMALLOC_CLASSES  (FINE_CLASSES + CLASSES_DOUBLING * 6) /* from 512 to 32,768 the size doubles six times */
#define FIRST_CACHE      (KMALLOC_CLASSES + 1)

#define SLAB_PAGES_MAX  64
#define SLAB_BLOCKS_MIN 8
#define SLAB_WASTE      64 /* a slab's length is chosen so that at most 1/64 of it is wasted, if possible */
/*
 * a magazine (a CPU's array of free blocks) of a large size holds only as many as fill 256 KiB, but MAGAZINE_MIN at
 * least
 */
#define MAGAZINE_BYTES (256U << 10)
#define MAGAZINE_MIN   8

_Static_assert(FIRST_CACHE + HEAP_CACHES == HEAP_CLASSES, "as many caches as heap.h says");

struct size_class heap_classes[HEAP_CLASSES];
uint8_t heap_class_table[TABLE_MAX / SMALL_STEP + 1]; /* fixed after boot */

static struct heap_lock cache_lock; /* guards the making of classes for caches */

/* Return the smallest number of pages that wastes little: a small slab is soon empty again, and then given back. */
static uint32_t choose_slab_pages(uint32_t size)
{
	uint32_t best = SLAB_PAGES_MAX;
	uint32_t least = SLAB_PAGES_MAX * (uint32_t)PAGE_SIZE;

	for (uint32_t pages = 1; pages <= SLAB_PAGES_MAX; pages++) {
		uint32_t bytes = pages * (uint32_t)PAGE_SIZE;
		uint32_t waste = bytes % size;

		if (bytes / size < SLAB_BLOCKS_MIN)
			continue;
		if (waste * SLAB_WASTE <= bytes)
			return pages;
		/* Compare the shares that are wasted: waste / pages. */
		if ((uint64_t)waste * best < (uint64_t)least * pages) {
			best = pages;
			least = waste;
		}
	}
	return best;
}

static void define_class(uint32_t id, uint32_t size, uint32_t align, const char *name)
{
	struct size_class *c = &heap_classes[id];
	uint32_t pages = choose_slab_pages(size);
	uint32_t blocks = pages * (uint32_t)PAGE_SIZE / size;
	uint32_t words = (blocks + 63) / 64;
	uint32_t capacity = MAGAZINE_BYTES / size;

	if (capacity > MAGAZINE_BLOCKS)
		capacity = MAGAZINE_BLOCKS;
	if (capacity < MAGAZINE_MIN)
		capacity = MAGAZINE_MIN;
	*c = (struct size_class){
		.size = size,
		.reciprocal = (uint32_t)((0x100000000ULL + size - 1) / size),
		.slab_pages = (uint16_t)pages,
		.slab_blocks = (uint16_t)blocks,
		/*
		 * struct chunk has one word of bits for each page. A slab of blocks below 64 bytes needs more words,
		 * and gives up its first blocks for them.
		 */
		.bit_blocks = (uint16_t)(words > pages ? (words * 8 + size - 1) / size : 0),
		.capacity = (uint16_t)capacity,
		.align = align,
		.name = name,
	};
}

uint32_t class_of_size(size_t size)
{
	if (size <= SMALL_FINE_MAX)
		return (uint32_t)((size + SMALL_STEP - 1) / SMALL_STEP);

	/* Eight classes to a doubling: the three bits below the highest one of size - 1 say which. */
	uint32_t last = (uint32_t)size - 1;
	uint32_t log2 = 31 - (uint32_t)__builtin_clz(last);
	uint32_t step = (last >> (log2 - 3)) & (CLASSES_DOUBLING - 1);

	return FINE_CLASSES + (log2 - 9) * CLASSES_DOUBLING + step + 1;
}

void classes_init(void)
{
	memset(heap_classes, 0, sizeof(heap_classes));
	for (uint32_t id = 1; id <= FINE_CLASSES; id++)
		define_class(id, id * SMALL_STEP, SMALL_STEP, NULL);
	for (uint32_t i = 0; i < KMALLOC_CLASSES - FINE_CLASSES; i++) {
		uint32_t base = SMALL_FINE_MAX << (i / CLASSES_DOUBLING);

		define_class(FINE_CLASSES + 1 + i, base + base / CLASSES_DOUBLING * (i % CLASSES_DOUBLING + 1),
			     SMALL_STEP, NULL);
	}
	for (uint32_t size = 0; size <= TABLE_MAX; size += SMALL_STEP)
		heap_class_table[size / SMALL_STEP] = (uint8_t)class_of_size(size);
}

/* Return the cache class for this size and alignment, a new one if need be; 0: none is left. */
static uint32_t find_cache_class(uint32_t size, uint32_t align, const char *name)
{
	for (uint32_t id = FIRST_CACHE; id < HEAP_CLASSES; id++) {
		struct size_class *c = &heap_classes[id];

		if (c->size == 0)
			define_class(id, size, align, name);
		if (c->size == size && c->align == align)
			return id;
	}
	return 0;
}

enum status cache_init(struct cache *c, const char *name, size_t size, size_t align)
{
	heap_flags_t flags;

	if (align < SMALL_STEP)
		align = SMALL_STEP;
	if (size == 0 || size > SMALL_MAX || (align & (align - 1)) != 0 || align > PAGE_SIZE)
		return ERR_RANGE;

	/* Slabs start at a page, so a size that is a multiple of the alignment aligns every block. */
	uint32_t whole = (uint32_t)align_up(size, align);

	heap_cpu_enter(&flags);
	heap_lock(&cache_lock);

	uint32_t id = find_cache_class(whole, (uint32_t)align, name);

	heap_unlock(&cache_lock);
	heap_cpu_leave(flags);
	if (!id)
		return ERR_NO_MEMORY;
	*c = (struct cache){ name, (uint32_t)size, (uint32_t)align, id };
	return OK;
}

void heap_visit_classes(void (*see)(void *ctx, const struct heap_class_stats *stats), void *ctx)
{
	for (uint32_t id = 1; id < HEAP_CLASSES; id++) {
		struct size_class *c = &heap_classes[id];
		struct heap_class_stats stats = { .name = c->name, .size = c->size };
		heap_flags_t flags;

		if (c->size == 0)
			continue;
		heap_cpu_enter(&flags);
		heap_lock(&c->lock);
		stats.blocks = c->slabs * (uint64_t)(c->slab_blocks - c->bit_blocks);
		stats.used = stats.blocks - c->free;
		heap_unlock(&c->lock);
		heap_cpu_leave(flags);
		if (stats.blocks)
			see(ctx, &stats);
	}
}
