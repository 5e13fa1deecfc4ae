/*
 * Builds the kernel's first page tables from nothing, in the table pages of the arena (the memory that the loader hands
 * to the kernel): the direct map of all RAM, the kernel image, the trampoline. The firmware's own tables are not
 * touched.
 */
#include "efi/loader.h"
#include "efi/trampoline.h"
#include "paging/layout.h"
#include "paging/space.h"

/* Takes frames from the front of the arena's table pages. None is ever given back. */
struct table_pool {
	paddr_t next;
	paddr_t end;
};

static enum status pool_alloc(void *ctx, paddr_t *ret_pa)
{
	struct table_pool *pool = ctx;

	if (pool->next.raw == pool->end.raw)
		return ERR_NO_MEMORY;
	*ret_pa = pool->next;
	pool->next = paddr_add(pool->next, PAGE_SIZE);
	return OK;
}

/*
 * Do nothing with a freed frame: frames are freed only when an operation fails, and then either all tables are built
 * again from the start, or the boot fails.
 */
static void pool_free(void *ctx, paddr_t pa)
{
	(void)ctx;
	(void)pa;
}

static const struct space_ops pool_ops = { pool_alloc, pool_free };

/*
 * Counts the regions (aligned blocks of one size, by number) that a series of ranges touches. The ranges ascend; a
 * region in which one ends and the next begins is counted once.
 */
struct region_count {
	uint64_t next; /* regions below this number have been counted */
	uint64_t regions;
};

static void count_regions(struct region_count *c, uint64_t first, uint64_t last)
{
	if (first < c->next)
		first = c->next;
	if (first <= last) {
		c->regions += last - first + 1;
		c->next = last + 1;
	}
}

/*
 * Count the tables of one level that a range needs: one for each end of the range that lies inside a region, since no
 * leaf can map that region as a whole.
 */
static void count_cuts(struct region_count *c, uint64_t start, uint64_t end, int shift)
{
	if (!is_aligned(start, 1ULL << shift))
		count_regions(c, start >> shift, start >> shift);
	if (!is_aligned(end, 1ULL << shift))
		count_regions(c, end >> shift, end >> shift);
}

#define TABLES_ROOT       1
#define TABLES_TRAMPOLINE 6  /* three levels of tables each for the trampoline's page and its copy below 4 GiB */
#define TABLES_SPARE      48 /* pages for the kernel's own first tables, and for its screen's text */

/* Return how many tables this map needs: exact for the direct map, and an upper bound for the rest. */
uint64_t loader_tables_bound(const struct loader *l, const struct memmap *map)
{
	struct region_count level1 = { 0, 0 }, level2 = { 0, 0 }, level3 = { 0, 0 };
	uint64_t image = 2;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];
		uint64_t end = r->end < HHDM_SIZE ? r->end : HHDM_SIZE;

		if (!mem_type_is_ram((enum mem_type)r->type) || r->start >= end)
			continue;
		count_cuts(&level1, r->start, end, 21);
		if (l->huge_pages)
			count_cuts(&level2, r->start, end, 30);
		else
			count_regions(&level2, r->start >> 30, (end - 1) >> 30);
		count_regions(&level3, r->start >> 39, (end - 1) >> 39);
	}
	for (size_t i = 0; i < l->elf.count; i++)
		image += 2 + l->elf.segments[i].pages / 512;
	return TABLES_ROOT + level1.regions + level2.regions + level3.regions + image + TABLES_TRAMPOLINE +
	       TABLES_SPARE;
}

/* Map [start, end) of RAM in the direct map with leaves up to level `max_leaf`; nothing when the range is empty. */
static enum status map_direct(struct space *s, uint64_t start, uint64_t end, int max_leaf)
{
	int largest = s->max_leaf;
	enum status status;

	if (start >= end)
		return OK;
	s->max_leaf = max_leaf;
	status = space_map(s, HHDM_BASE + start, paddr(start), (end - start) / PAGE_SIZE, PROT_W);
	s->max_leaf = largest;
	return status;
}

/* Return the end of the range, or the end of the direct map if the range goes beyond that. */
static uint64_t reach(const struct mem_range *r)
{
	return r->end < HHDM_SIZE ? r->end : HHDM_SIZE;
}

/* Return whether RAM of another type follows range `i` directly. */
static bool ram_continues(const struct memmap *map, size_t i)
{
	const struct mem_range *r = &map->ranges[i];

	return i + 1 < map->count && r[1].start == r->end && mem_type_is_ram((enum mem_type)r[1].type) &&
	       r->end < HHDM_SIZE;
}

/*
 * Return the end of the row of mixed blocks that begins with the block in which range `i` ends: the first block
 * boundary after which no mixed block follows, or the end of the RAM. A block of 2 MiB is mixed when it holds RAM of
 * more than one type, so that it needs 4 KiB leaves; the block in which range `i` ends must be mixed.
 */
static uint64_t mixed_end(const struct memmap *map, size_t i)
{
	uint64_t end = align_up(map->ranges[i].end, PAGE_SIZE_2M);

	for (; ram_continues(map, i) && map->ranges[i].end < end + PAGE_SIZE_2M; i++)
		if (map->ranges[i].end > end)
			end += PAGE_SIZE_2M;
	return end < reach(&map->ranges[i]) ? end : reach(&map->ranges[i]);
}

/*
 * Map all RAM in the direct map, ascending. No leaf crosses a change of type: each range is mapped with large leaves up
 * to the end of its last whole block of 2 MiB. The blocks after that, which hold RAM of several types, get leaves of 4
 * KiB, by one call for a whole row of blocks.
 */
static enum status map_ram(struct space *s, const struct memmap *map)
{
	uint64_t at = 0; /* RAM below this address has been mapped */
	enum status status = OK;

	for (size_t i = 0; i < map->count && status == OK; i++) {
		const struct mem_range *r = &map->ranges[i];
		uint64_t end = reach(r);

		if (at < r->start)
			at = r->start;
		if (at >= end || !mem_type_is_ram((enum mem_type)r->type))
			continue;
		if (ram_continues(map, i))
			end = align_down(end, PAGE_SIZE_2M);
		status = map_direct(s, at, end, s->max_leaf);
		if (at < end)
			at = end;
		if (status == OK && at < reach(r)) {
			end = mixed_end(map, i);
			status = map_direct(s, at, end, 1);
			at = end;
		}
	}
	return status;
}

/* Map the image at its addresses. Where the image is not writable, its alias in the direct map must not be either. */
static enum status map_image(struct space *s, const struct boot_info *info)
{
	struct tlb_flush flush = TLB_FLUSH_NONE; /* needs no flush: no TLB holds these tables yet */
	enum status status = OK;

	for (size_t i = 0; i < info->segment_count && status == OK; i++) {
		const struct boot_segment *g = &info->segments[i];

		status = space_map(s, g->va, g->pa, g->pages, (enum page_prot)g->prot);
		if (status == OK && !(g->prot & PROT_W))
			status = space_protect(s, HHDM_BASE + g->pa.raw, g->pages, PROT_R, &flush);
	}
	return status;
}

/* Build all page tables for `map`. Returns ERR_NO_MEMORY when the arena has too few pages for them. */
enum status loader_build_tables(struct loader *l, const struct memmap *map, paddr_t *ret_root)
{
	const struct arena *a = &l->arena;
	paddr_t first = paddr_add(a->low, PAGE_SIZE);
	struct table_pool pool = { first, paddr_add(first, a->table_pages * PAGE_SIZE) };
	paddr_t trampoline = paddr((uintptr_t)trampoline_page);
	struct space s;
	enum status status;

	status = space_init(&s, &pool_ops, &pool, 0, l->huge_pages ? 3 : 2);
	if (status == OK)
		status = map_ram(&s, map);
	if (status == OK)
		status = map_image(&s, &l->info);
	if (status == OK)
		status = space_map(&s, trampoline.raw, trampoline, 1, PROT_X);
	/* Map the copy of the trampoline below 4 GiB: the switch from 5-level to 4-level paging runs there. */
	if (status == OK && l->la57)
		status = space_map(&s, a->low.raw, a->low, 1, PROT_X);
	if (status != OK)
		return status;
	l->info.trampoline = trampoline.raw;
	l->info.tables = first;
	l->info.table_frames = (pool.next.raw - first.raw) / PAGE_SIZE;
	l->info.table_spare = (pool.end.raw - pool.next.raw) / PAGE_SIZE;
	if (l->info.table_spare < TABLES_SPARE)
		return ERR_NO_MEMORY;
	*ret_root = s.root;
	return OK;
}
