/*
 * Keeps the memory map sorted, merged and without overlaps while claims ("[start, end) is of this type") are added one
 * by one. The claims may come in any order and be about any addresses.
 */
#include "kernel/boot/memmap.h"

#include "kernel/lib/string.h"

static const char *const names[MEM_TYPES] = {
	[MEM_NONE] = "none",
	[MEM_USABLE] = "usable",
	[MEM_BOOT_SERVICES] = "boot services",
	[MEM_LOADER] = "loader",
	[MEM_LOW] = "low memory",
	[MEM_ACPI_RECLAIM] = "ACPI tables",
	[MEM_ACPI_NVS] = "ACPI NVS",
	[MEM_RUNTIME_DATA] = "runtime data",
	[MEM_RUNTIME_CODE] = "runtime code",
	[MEM_MMIO] = "MMIO",
	[MEM_RESERVED] = "reserved",
	[MEM_FRAMEBUFFER] = "framebuffer",
	[MEM_INITRD] = "initrd",
	[MEM_TABLES] = "page tables",
	[MEM_IMAGE] = "kernel image",
};

const char *mem_type_name(enum mem_type type)
{
	return (unsigned)type < MEM_TYPES ? names[type] : "?";
}

/* Return the index of the first range that ends after `address`; map->count when none does. */
static size_t first_after(const struct memmap *map, uint64_t address)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (map->ranges[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void move_ranges(struct memmap *map, size_t to, size_t from)
{
	memmove(&map->ranges[to], &map->ranges[from], (map->count - from) * sizeof(map->ranges[0]));
	map->count = map->count - from + to;
}

/* Put a claim into the middle of a range of a lower type, which is split in two. */
static enum status split(struct memmap *map, size_t at, const struct mem_range *claim)
{
	struct mem_range *r = &map->ranges[at];

	if (map->capacity - map->count < 2)
		return ERR_NO_MEMORY;
	move_ranges(map, at + 2, at);
	r[0].end = claim->start;
	r[1] = *claim;
	r[2].start = claim->end;
	return OK;
}

/*
 * Lay the claim over the ranges [first, past), which lie inside it: the higher types among them stay, and the
 * claim fills the gaps that they leave. Neighbours that reach into the claim lose that part.
 */
static enum status fill(struct memmap *map, size_t first, size_t past, const struct mem_range *claim)
{
	struct mem_range *r = map->ranges;
	size_t stay = 0, gaps = 0, to = first;
	uint64_t at = claim->start;

	for (size_t i = first; i < past; i++) {
		if (r[i].type <= claim->type)
			continue;
		gaps += r[i].start > at;
		at = r[i].end;
		stay++;
	}
	gaps += claim->end > at;
	if (stay + gaps > past - first && stay + gaps - (past - first) > map->capacity - map->count)
		return ERR_NO_MEMORY;

	if (first && r[first - 1].end > claim->start)
		r[first - 1].end = claim->start;
	if (past < map->count && r[past].start < claim->end)
		r[past].start = claim->end;
	for (size_t i = first; i < past; i++)
		if (r[i].type > claim->type)
			r[to++] = r[i];
	move_ranges(map, first + stay + gaps, past);

	/* The claim's pieces are put in from the end, so that no range is overwritten before it has been moved. */
	to = first + stay + gaps;
	at = claim->end;
	for (size_t i = first + stay;; i--) {
		uint64_t gap = i > first ? r[i - 1].end : claim->start;

		if (gap < at)
			r[--to] = (struct mem_range){ gap, at, claim->type };
		if (i == first)
			return OK;
		at = r[i - 1].start;
		r[--to] = r[i - 1];
	}
}

/*
 * Add a claim that starts before the map's end. Not inlined: inside memmap_add() this code would make the usual case
 * save registers that only this code needs.
 */
__attribute__((noinline)) static enum status overlay(struct memmap *map, struct mem_range claim)
{
	struct mem_range *r = map->ranges;
	size_t first = first_after(map, claim.start), past;

	/*
	 * The ranges at the claim's edges: one of the same type joins the claim, one of a higher type shortens it, and
	 * one of a lower type is left to fill() or split().
	 */
	if (first && r[first - 1].end == claim.start && r[first - 1].type == claim.type)
		claim.start = r[--first].start;
	else if (first < map->count && r[first].start < claim.start && r[first].type == claim.type)
		claim.start = r[first].start;
	else if (first < map->count && r[first].start < claim.start) {
		if (r[first].type > claim.type)
			claim.start = r[first].end;
		first++;
	}
	if (claim.start >= claim.end)
		return OK;
	past = first_after(map, claim.end);
	if (past < map->count && r[past].start <= claim.end) {
		if (r[past].type == claim.type)
			claim.end = r[past++].end;
		else if (r[past].type > claim.type)
			claim.end = r[past].start;
	}
	return past < first ? split(map, past, &claim) : fill(map, first, past, &claim);
}

enum status memmap_add(struct memmap *map, uint64_t start, uint64_t end, enum mem_type type)
{
	struct mem_range *last = map->count ? &map->ranges[map->count - 1] : NULL;

	if (start >= end || !is_aligned(start | end, PAGE_SIZE) || type <= MEM_NONE || type >= MEM_TYPES)
		return ERR_RANGE;
	if (last && last->end > start)
		return overlay(map, (struct mem_range){ start, end, type });
	/* The usual case: claims ascend, and only the map's end changes. */
	if (last && last->end == start && last->type == (uint64_t)type) {
		last->end = end;
		return OK;
	}
	if (map->count >= map->capacity)
		return ERR_NO_MEMORY;
	map->ranges[map->count++] = (struct mem_range){ start, end, type };
	return OK;
}

const struct mem_range *memmap_find(const struct memmap *map, paddr_t pa)
{
	size_t at = first_after(map, pa.raw);

	return at < map->count && map->ranges[at].start <= pa.raw ? &map->ranges[at] : NULL;
}

enum status memmap_check(const struct memmap *map, size_t *ret_bad)
{
	uint64_t end = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		if (r->start < end || r->start >= r->end || !is_aligned(r->start | r->end, PAGE_SIZE) ||
		    r->type == MEM_NONE || r->type >= MEM_TYPES) {
			*ret_bad = i;
			return ERR_FORMAT;
		}
		end = r->end;
	}
	return OK;
}

uint64_t memmap_bytes(const struct memmap *map, enum mem_type type)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].type == (uint64_t)type)
			bytes += map->ranges[i].end - map->ranges[i].start;
	return bytes;
}
