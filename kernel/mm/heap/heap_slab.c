/*
 * Slabs: a few pages cut into blocks of one class. Keeps a bit for each block, 1 when it is free, and a list of the
 * slabs that have a free block. A block's bytes are never touched, so taking and giving costs no cache line of the
 * blocks, and a stray write into a free block breaks no list.
 */
#include "kernel/mm/heap/heap_internal.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/*
 * Return the words with the bits of a slab's blocks: they lie in struct chunk, or in place of the slab's first blocks.
 */
static uint64_t *slab_bits(const struct size_class *c, pageno_t slab)
{
	if (c->bit_blocks)
		return page_address(slab);
	return &chunk_of_page(slab)->bits[slab & (CHUNK_PAGES - 1)];
}

static uint32_t blocks_to_hand_out(const struct size_class *c)
{
	return (uint32_t)c->slab_blocks - c->bit_blocks;
}

static void link_partial(struct size_class *c, pageno_t slab)
{
	struct page_info *info = page_info(slab);

	info->prev = 0;
	info->next = c->partial;
	if (c->partial)
		page_info(c->partial)->prev = slab;
	c->partial = slab;
}

static void unlink_partial(struct size_class *c, pageno_t slab)
{
	struct page_info *info = page_info(slab);

	if (info->next)
		page_info(info->next)->prev = info->prev;
	if (info->prev)
		page_info(info->prev)->next = info->next;
	else
		c->partial = info->next;
}

/* Set the number of slabs atomically: heap_magazine.c, which limits the depot by it, reads it without the lock. */
static void count_slabs(struct size_class *c, uint64_t slabs)
{
	__atomic_store_n(&c->slabs, slabs, __ATOMIC_RELAXED);
}

/*
 * Set the kind of a slab's pages. The caller holds heap.lock, since freeing a run beside the slab reads the kind of the
 * slab's first or last page.
 */
static void mark_slab(const struct size_class *c, pageno_t slab, uint8_t kind)
{
	memset(&chunk_of_page(slab)->kind[slab & (CHUNK_PAGES - 1)], kind, c->slab_pages);
}

/* Allocate the pages of a slab, and mark them; 0: no memory. */
static pageno_t alloc_marked(const struct size_class *c, enum pages_from from)
{
	heap_lock(&heap.lock);

	pageno_t slab = reserve_alloc(c->slab_pages, 1, from);

	if (slab)
		mark_slab(c, slab, (uint8_t)(c - heap_classes));
	heap_unlock(&heap.lock);
	return slab;
}

/* Make a slab with all its blocks free, and link it. Returns false when there is no memory. */
static bool make_slab(struct size_class *c, enum pages_from from)
{
	pageno_t slab = alloc_marked(c, from);

	if (!slab)
		return false;

	struct page_info *info = page_info(slab);
	uint64_t *bits = slab_bits(c, slab);

	for (size_t i = 0; i < c->slab_pages; i++)
		info[i].back = (uint16_t)i;
	for (uint32_t i = 0; i < c->slab_blocks; i += 64)
		bits[i / 64] = c->slab_blocks - i < 64 ? (1ULL << (c->slab_blocks - i)) - 1 : ~0ULL;
	bits[0] &= ~0ULL << c->bit_blocks;
	info->pages = c->slab_pages;
	info->free = (uint16_t)blocks_to_hand_out(c);
	link_partial(c, slab);
	count_slabs(c, c->slabs + 1);
	c->free += blocks_to_hand_out(c);
	return true;
}

/* Give back the pages of a slab whose blocks are all free. */
static void free_slab(struct size_class *c, pageno_t slab)
{
	unlink_partial(c, slab);
	count_slabs(c, c->slabs - 1);
	c->free -= blocks_to_hand_out(c);
	heap_lock(&heap.lock);
	/* When the pages' kind is PAGE_NONE, a second kfree of one of the slab's blocks finds no slab, and panics. */
	mark_slab(c, slab, PAGE_NONE);
	reserve_free(slab, c->slab_pages);
	heap_unlock(&heap.lock);
}

/* Take up to `count` free blocks of a slab that has some. A slab without free blocks leaves the list c->partial. */
static size_t take_from(struct size_class *c, pageno_t slab, void **blocks, size_t count)
{
	struct page_info *info = page_info(slab);
	uint64_t *bits = slab_bits(c, slab);
	char *base = page_address(slab);
	size_t taken = 0;

	for (uint32_t word = 0; taken < count && word * 64 < c->slab_blocks; word++) {
		uint64_t left = bits[word];

		while (left && taken < count) {
			uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(left);

			left &= left - 1;
			blocks[taken++] = base + (size_t)index * c->size;
		}
		bits[word] = left;
	}
	info->free = (uint16_t)(info->free - taken);
	c->free -= taken;
	if (info->free == 0)
		unlink_partial(c, slab);
	return taken;
}

size_t slab_take(uint32_t class_id, void **blocks, size_t count, enum pages_from from)
{
	struct size_class *c = &heap_classes[class_id];
	size_t taken = 0;

	heap_lock(&c->lock);
	while (taken < count) {
		/*
		 * Make a new slab only when not even one block could be taken: the caller asks for more blocks than it
		 * needs at once, to fill a magazine.
		 */
		if (!c->partial && (taken || !make_slab(c, from)))
			break;
		taken += take_from(c, c->partial, blocks + taken, count - taken);
	}
	heap_unlock(&c->lock);
	return taken;
}

static void give_one(struct size_class *c, uint32_t class_id, void *block)
{
	struct chunk *chunk = chunk_of_block(block);
	size_t page = page_in_chunk(block);
	size_t first = page - chunk->info[page].back;
	pageno_t slab = page_number(chunk) + (pageno_t)first;
	uint64_t offset = (vaddr_t)block - (vaddr_t)page_address(slab);
	uint32_t index = (uint32_t)((offset * c->reciprocal) >> 32);
	struct page_info *info = &chunk->info[first];

	if (chunk->kind[page] != class_id || (uint64_t)index * c->size != offset || index < c->bit_blocks ||
	    index >= c->slab_blocks)
		panic("heap: %p is not the start of a block of %u bytes", block, c->size);

	uint64_t *word = &slab_bits(c, slab)[index / 64];
	uint64_t bit = 1ULL << (index % 64);

	if (*word & bit)
		panic("heap: block %p of %u bytes freed twice", block, c->size);
	*word |= bit;
	c->free++;
	if (info->free++ == 0)
		link_partial(c, slab);
	if (info->free == blocks_to_hand_out(c))
		free_slab(c, slab);
}

void slab_give(uint32_t class_id, void *const *blocks, size_t count)
{
	struct size_class *c = &heap_classes[class_id];

	heap_lock(&c->lock);
	for (size_t i = 0; i < count; i++)
		give_one(c, class_id, blocks[i]);
	heap_unlock(&c->lock);
}
