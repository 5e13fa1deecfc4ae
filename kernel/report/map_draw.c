/*
 * Draws physical memory and a space's mappings; see map_draw.h. The screen's own font (kernel/dev/font.h) has all
 * characters that are used here.
 */
#include "kernel/report/map_draw.h"

#include "kernel/lib/format.h"
#include "kernel/lib/scratch.h"
#include "kernel/report/ranges.h"

/* Columns beside the bar: an address and a name (LABEL), a size (SIZE), and the frame. */
#define LABEL 22
#define SIZE  9
#define REST  (LABEL + 2 + 2 + SIZE)

#define MOST_ROWS   3
#define MOST_PIECES 512

#define FULL         "\xe2\x96\x88" /* U+2588 full block */
#define HALF         "\xe2\x96\x92" /* U+2592 medium shade */
#define LINE         "\xe2\x94\x80" /* U+2500 box drawings light horizontal */
#define WALL         "\xe2\x94\x82" /* U+2502 vertical */
#define TOP_LEFT     "\xe2\x94\x8c" /* U+250C down and right */
#define TOP_RIGHT    "\xe2\x94\x90" /* U+2510 down and left */
#define BOTTOM_LEFT  "\xe2\x94\x94" /* U+2514 up and right */
#define BOTTOM_RIGHT "\xe2\x94\x98" /* U+2518 up and left */

/*
 * How a kind of memory looks: one of ECMA-48's SGR colours, and a character of three bytes, or a blank for "nothing".
 */
struct kind {
	const char *name;
	const char *cell;
	uint8_t colour;
};

enum { RED = 31, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GREY, BRIGHT_BLUE = 94, WHITE = 97 };

static const struct kind memory_kinds[MEM_TYPES] = {
	[MEM_NONE] = { NULL, " ", GREY },
	[MEM_USABLE] = { NULL, FULL, GREEN },
	[MEM_BOOT_SERVICES] = { NULL, HALF, GREEN },
	[MEM_LOADER] = { NULL, HALF, CYAN },
	[MEM_LOW] = { NULL, HALF, GREY },
	[MEM_ACPI_RECLAIM] = { NULL, HALF, YELLOW },
	[MEM_ACPI_NVS] = { NULL, FULL, YELLOW },
	[MEM_RUNTIME_DATA] = { NULL, HALF, MAGENTA },
	[MEM_RUNTIME_CODE] = { NULL, FULL, MAGENTA },
	[MEM_MMIO] = { NULL, FULL, BLUE },
	[MEM_RESERVED] = { NULL, FULL, RED },
	[MEM_FRAMEBUFFER] = { NULL, HALF, BLUE },
	[MEM_INITRD] = { NULL, FULL, CYAN },
	[MEM_TABLES] = { NULL, HALF, WHITE },
	[MEM_IMAGE] = { NULL, FULL, WHITE },
};

enum leaf_kind { LEAF_NONE, LEAF_TEXT, LEAF_READ, LEAF_DATA, LEAF_DEVICE, LEAF_COMBINING, LEAF_WRONG, LEAF_KINDS };

static const struct kind leaf_kinds[LEAF_KINDS] = {
	[LEAF_NONE] = { "not mapped", " ", GREY },
	[LEAF_TEXT] = { "code (r-x)", FULL, YELLOW },
	[LEAF_READ] = { "read only (r--)", FULL, CYAN },
	[LEAF_DATA] = { "data (rw-)", FULL, GREEN },
	[LEAF_DEVICE] = { "devices (uncached)", FULL, BLUE },
	[LEAF_COMBINING] = { "framebuffer (WC, WT)", HALF, BLUE },
	[LEAF_WRONG] = { "W+X", FULL, RED },
};

/* Memory of one kind, adjacent in the bar. Guard: tasks only, which the kernel does not preempt. */
struct piece {
	uint64_t bytes;
	unsigned kind;
};

/*
 * A bar: a row of adjacent pieces. After MOST_PIECES pieces, the bytes of further pieces are added to the last one;
 * their kinds are still added to `kinds`, so that the legend names each kind that the machine has.
 * Guard: tasks only, which the kernel does not preempt: one picture is drawn at a time.
 */
struct bar {
	size_t count;
	uint64_t weight; /* sum of the pieces' weight_of() */
	uint32_t kinds;  /* bit n: a piece of kind n was added */
	struct piece pieces[MOST_PIECES];
};

static struct bar bar SCRATCH;

/*
 * Return a piece's weight, by which its width is computed: the square of its size's logarithm. The logarithm alone
 * would draw a gigabyte only a few cells wider than a page.
 */
static uint64_t weight_of(uint64_t bytes)
{
	uint64_t bits = 64 - (uint64_t)__builtin_clzll(bytes / PAGE_SIZE | 1);

	return bits * bits;
}

static void bar_clear(void)
{
	bar.count = 0;
	bar.weight = 0;
	bar.kinds = 0;
}

static void bar_add(uint64_t bytes, unsigned kind)
{
	struct piece *last;

	if (!bytes)
		return;
	bar.kinds |= 1u << kind;
	if (!bar.count || (bar.count < MOST_PIECES && bar.pieces[bar.count - 1].kind != kind))
		bar.pieces[bar.count++] = (struct piece){ 0, kind };
	last = &bar.pieces[bar.count - 1];
	bar.weight -= last->bytes ? weight_of(last->bytes) : 0;
	last->bytes += bytes;
	bar.weight += weight_of(last->bytes);
}

/*
 * Return in which of `cells` cells piece `i` begins. `before`: the sum of the weights of pieces 0 to i - 1. Each piece
 * gets at least one cell if there are enough.
 */
static size_t first_cell(size_t i, uint64_t before, size_t cells)
{
	if (bar.count > cells)
		return i * cells / bar.count;
	return i + (bar.weight ? before * (cells - bar.count) / bar.weight : 0);
}

static void draw_cells(print_fn *print, const struct kind *kind, size_t count)
{
	char text[48 * 3 + 1];

	print("\x1b[%um", kind->colour);
	while (count) {
		size_t length = 0, now = count < 48 ? count : 48;

		for (size_t i = 0; i < now; i++)
			length += format_s(text + length, sizeof(text) - length, "%s", kind->cell);
		print("%s", text);
		count -= now;
	}
}

/* Draw the cells [from, end) of `cells`. Returns the bytes of all pieces that begin before the cell `end`. */
static uint64_t draw_row(print_fn *print, const struct kind *kinds, size_t from, size_t end, size_t cells)
{
	uint64_t before = 0, passed = 0;

	for (size_t i = 0; i < bar.count; i++) {
		const struct piece *piece = &bar.pieces[i];
		size_t first = first_cell(i, before, cells), last;

		before += weight_of(piece->bytes);
		last = first_cell(i + 1, before, cells);
		if (first < from)
			first = from;
		if (last > end)
			last = end;
		if (first < last)
			draw_cells(print, &kinds[piece->kind], last - first);
		if (first < end)
			passed += piece->bytes;
	}
	print("\x1b[0m%*s", bar.count ? 0 : (int)(end - from), "");
	return passed;
}

static void draw_edge(print_fn *print, const char *left, const char *right, size_t cells)
{
	static const struct kind line = { NULL, LINE, 39 };

	print("%*s%s", LABEL + 1, "", left);
	draw_cells(print, &line, cells);
	print("%s\n", right);
}

/* Print the legend, "X name" for each kind that is not drawn blank and whose bit in `used` is set. */
static void draw_legend(print_fn *print, const struct kind *kinds, unsigned count, uint32_t used, unsigned columns)
{
	unsigned column = 0;

	for (unsigned i = 0; i < count; i++) {
		const char *name = kinds[i].name ? kinds[i].name : mem_type_name((enum mem_type)i);
		unsigned width = 4;

		if (!(used >> i & 1) || kinds[i].cell[0] == ' ')
			continue;
		for (const char *c = name; *c; c++)
			width++;
		if (column && column + width > columns) {
			print("\n");
			column = 0;
		}
		print("  \x1b[%um%s\x1b[0m %s", kinds[i].colour, kinds[i].cell, name);
		column += width;
	}
	print("\n");
}

static unsigned usable_columns(unsigned columns)
{
	return columns < MAP_DRAW_LEAST ? MAP_DRAW_LEAST : columns > MAP_DRAW_MOST ? MAP_DRAW_MOST : columns;
}

void map_draw_memory(print_fn *print, const struct memmap *map, unsigned columns)
{
	size_t width = usable_columns(columns) - REST, rows;
	uint64_t end = 0, ram = 0;
	char size[16];

	bar_clear();
	for (size_t i = 0; i < map->count; i++) {
		const struct mem_range *r = &map->ranges[i];

		bar_add(r->start - end, MEM_NONE);
		bar_add(r->end - r->start, (unsigned)r->type);
		end = r->end;
		ram += mem_type_is_ram((enum mem_type)r->type) ? r->end - r->start : 0;
	}
	rows = (4 * bar.count + width - 1) / width;
	rows = rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
	print("physical memory, %s of it RAM\n", format_size(size, ram));
	draw_edge(print, TOP_LEFT, TOP_RIGHT, width);
	end = 0;
	for (size_t row = 0; row < rows; row++) {
		uint64_t start = end;

		print("%*llx %s", LABEL, (unsigned long long)start, WALL);
		end = draw_row(print, memory_kinds, row * width, (row + 1) * width, rows * width);
		print("%s %*s\n", WALL, SIZE, format_size(size, end - start));
	}
	draw_edge(print, BOTTOM_LEFT, BOTTOM_RIGHT, width);
	draw_legend(print, memory_kinds, MEM_TYPES, bar.kinds, usable_columns(columns));
}

/* ---- a space ---- */

static enum leaf_kind kind_of(enum page_prot prot)
{
	switch (prot & PROT_TYPE) {
	case PROT_WB:
		break;
	case PROT_UC:
		return LEAF_DEVICE;
	default:
		return LEAF_COMBINING;
	}
	if (prot & PROT_X)
		return prot & PROT_W ? LEAF_WRONG : LEAF_TEXT;
	return prot & PROT_W ? LEAF_DATA : LEAF_READ;
}

/* The progress while one range is drawn. */
struct filling {
	vaddr_t next; /* all addresses of the range below this one have been added to the bar */
	uint64_t mapped;
};

static bool add_leaves(void *ctx, const struct mapping *m, size_t count)
{
	struct filling *filling = ctx;
	uint64_t size = count * level_size(m->level);

	bar_add(m->va - filling->next, LEAF_NONE);
	bar_add(size, kind_of(m->prot));
	filling->next = m->va + size;
	filling->mapped += size;
	return true;
}

void map_draw_space(print_fn *print, const struct space *s, unsigned columns)
{
	size_t width = usable_columns(columns) - REST;
	uint32_t used = 0;
	char size[16];

	print("kernel context, what is mapped of each range\n");
	draw_edge(print, TOP_LEFT, TOP_RIGHT, width);
	for (size_t i = 0; i < LAYOUT_COUNT; i++) {
		const struct layout_range *range = &layout_ranges[i];
		struct filling filling = { .next = range->base };
		const struct space_visitor visitor = { .leaves = add_leaves, .ctx = &filling };

		if (range->base == USER_BASE)
			continue;
		bar_clear();
		space_visit(s, range->base, range->base + range->size - 1, &visitor);
		bar_add(range->base + range->size - filling.next, LEAF_NONE);
		used |= bar.kinds;
		print("%016llx %5s %s", (unsigned long long)range->base, range->key, WALL);
		(void)draw_row(print, leaf_kinds, 0, width, width);
		print("%s %*s\n", WALL, SIZE, format_size(size, filling.mapped));
	}
	draw_edge(print, BOTTOM_LEFT, BOTTOM_RIGHT, width);
	draw_legend(print, leaf_kinds, LEAF_KINDS, used, usable_columns(columns));
}
