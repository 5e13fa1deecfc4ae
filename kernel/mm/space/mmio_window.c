/*
 * Maps device memory into windows of the MMIO range. Refuses RAM, and a second memory type for a page, since accesses
 * of two types to one page may see different data. What physical memory lies in a window is read from the page tables.
 */
#include "kernel/mm/space/mmio_window.h"

#include "kernel/lib/panic.h"
#include "paging/layout.h"

/*
 * Where a mapping lies in its window: perhaps not at the window's first byte, since large leaves need virtual and
 * physical address to be congruent modulo the leaf's size.
 */
struct placed {
	vaddr_t base;    /* first byte of the window */
	uint64_t before; /* bytes of the window before the mapping, never mapped */
};

enum status mmio_window_init(struct mmio_window *w, const struct window_seam *seam)
{
	return windows_init(&w->windows, MMIO_BASE, MMIO_SIZE, seam);
}

/* Return whether the machine's map has RAM in [start, end). */
static bool has_ram(const struct memmap *map, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		if (r->start < end && r->end > start && mem_type_is_ram((enum mem_type)r->type))
			return true;
	}
	return false;
}

static bool take_first(void *ctx, const struct mapping *m)
{
	*(struct mapping *)ctx = *m;
	return false;
}

/* Return the first leaf in a window. From that leaf on the window maps consecutive physical memory without a gap. */
static struct mapping first_leaf(const struct mmio_window *w, const struct window *window)
{
	struct mapping m = { 0 };
	const struct space_visitor visitor = { .leaf = take_first, .ctx = &m };

	if (space_visit(w->space, window->base, window->base + window->size - 1, &visitor))
		panic("mmio: nothing is mapped in the window at %#llx", (unsigned long long)window->base);
	return m;
}

struct search {
	const struct mmio_window *w;
	uint64_t start, end; /* physical */
	enum page_prot type;
	bool found;
};

static void compare(void *ctx, const struct window *window)
{
	struct search *search = ctx;
	struct mapping m = first_leaf(search->w, window);
	uint64_t end = m.pa.raw + (window->base + window->size - m.va);

	if (m.pa.raw < search->end && end > search->start && (m.prot & PROT_TYPE) != search->type)
		search->found = true;
}

/* Return whether a page of [start, end) is mapped with another type. Looks at each window: there are a few dozen. */
static bool has_other_type(const struct mmio_window *w, uint64_t start, uint64_t end, enum page_prot type)
{
	struct search search = { w, start, end, type, false };

	window_visit(&w->windows, compare, &search);
	return search.found;
}

/* Return the size of the largest leaf that fits into the physical range [start, end). */
static uint64_t largest_leaf(const struct mmio_window *w, uint64_t start, uint64_t end)
{
	for (int level = w->space->max_leaf; level > 1; level--) {
		uint64_t size = level_size(level), first = align_up(start, size);

		if (first < end && end - first >= size)
			return size;
	}
	return PAGE_SIZE;
}

/*
 * Reserve a window with a guard page on each side. The lower one also separates the first window from the direct map,
 * which ends where the MMIO range starts.
 */
static enum status reserve(struct mmio_window *w, uint64_t start, uint64_t end, struct placed *ret)
{
	uint64_t align = largest_leaf(w, start, end);
	uint64_t before = start & (align - 1);
	vaddr_t base;
	enum status status = window_reserve(&w->windows, before + (end - start), align, WINDOW_GUARD_BOTH, &base);

	if (status == OK)
		*ret = (struct placed){ base, before };
	return status;
}

static void release(struct mmio_window *w, vaddr_t base)
{
	if (window_release(&w->windows, base) != OK)
		panic("mmio: no window starts at %#llx", (unsigned long long)base);
}

enum status mmio_window_map(struct mmio_window *w, paddr_t pa, uint64_t size, enum page_prot type, void **ret)
{
	uint64_t start = align_down(pa.raw, PAGE_SIZE), end;
	struct placed at;
	enum status status;

	if (type != PROT_UC && type != PROT_WC && type != PROT_WT)
		return ERR_RIGHTS;
	if (!size || pa.raw >= w->limit || size > w->limit - pa.raw)
		return ERR_RANGE;
	end = align_up(pa.raw + size, PAGE_SIZE);
	if (has_ram(w->map, start, end) || has_other_type(w, start, end, type))
		return ERR_EXISTS;
	status = reserve(w, start, end, &at);
	if (status != OK)
		return status;
	status = space_map(w->space, at.base + at.before, paddr(start), (end - start) / PAGE_SIZE, PROT_W | type);
	if (status != OK) {
		release(w, at.base);
		return status;
	}
	*ret = (void *)(at.base + at.before + (pa.raw - start));
	return OK;
}

void mmio_window_unmap(struct mmio_window *w, void *p)
{
	vaddr_t va = align_down((uintptr_t)p, PAGE_SIZE);
	struct tlb_flush flush = TLB_FLUSH_NONE;
	struct window window;

	if (window_find(&w->windows, va, &window) != OK || first_leaf(w, &window).va != va)
		panic("mmio: %p was not mapped", p);
	/* Whole leaves are unmapped, so none is split, and nothing can fail. */
	if (space_unmap(w->space, window.base, window.size / PAGE_SIZE, &flush) != OK)
		panic("mmio: the window at %#llx cannot be unmapped", (unsigned long long)window.base);
	w->flush(&flush);
	release(w, window.base);
}
