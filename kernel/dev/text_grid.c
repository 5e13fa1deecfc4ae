/*
 * The grid of cells: keeps the text that the screen should show and the text that is drawn, and finds out which cells
 * must be drawn again. It does not interpret control characters.
 *
 * Scrolling by reading the framebuffer back is slow. Here both texts are compared in ordinary memory, and only cells
 * that differ are drawn. That is little after a scroll, because most cells of a screen of log lines are blank both
 * before and after it.
 */
#include "kernel/dev/text_grid.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

/*
 * With more columns than this, characters are too small to read: each dot of a glyph is then drawn as several pixels.
 */
#define MOST_COLUMNS 240
#define MOST_ROWS    65535 /* row numbers are stored in text_page.order, in 16 bits */

#define MOST_FONT_HEIGHT 32

/* In a row's first cell of `shown`: the row's pixels are not known. No cell to draw has this value. */
#define UNKNOWN 0xffffffffU

struct geometry {
	uint32_t scale, columns, rows;
};

static struct geometry geometry(uint32_t width, uint32_t height, const struct font *font)
{
	uint32_t columns = width / FONT_WIDTH;
	uint32_t scale = columns <= MOST_COLUMNS ? 1 : (columns + MOST_COLUMNS - 1) / MOST_COLUMNS;

	if (scale > FRAMEBUFFER_MAX_SCALE)
		scale = FRAMEBUFFER_MAX_SCALE;
	return (struct geometry){ scale, columns / scale, height / (font->height * scale) };
}

/*
 * Return the bytes of memory for a row: its cells on both pages, its cells as drawn, and its entry in `order` of both
 * pages.
 */
static size_t row_size(uint32_t columns)
{
	return 3 * sizeof(cell_t) * columns + 2 * sizeof(uint16_t);
}

size_t text_grid_size(const struct boot_framebuffer *info, const struct font *font)
{
	struct geometry geo = geometry(info->width, info->height, font);

	return geo.columns ? row_size(geo.columns) * geo.rows : 0;
}

static void fill_cells(cell_t *cells, size_t count, cell_t cell)
{
	for (size_t i = 0; i < count; i++)
		cells[i] = cell;
}

static cell_t first_blank(const struct text_grid *grid)
{
	return text_cell(grid->font->space, TEXT_GREY, TEXT_BLACK, 0);
}

static void clear_page(const struct text_grid *grid, struct text_page *page)
{
	fill_cells(page->cells, (size_t)grid->columns * grid->rows, first_blank(grid));
	for (uint32_t row = 0; row < grid->rows; row++)
		page->order[row] = (uint16_t)row;
}

/* Divide the grid's memory into its arrays, and clear the page that is shown. */
static void lay_out(struct text_grid *grid, void *memory)
{
	size_t cells = (size_t)grid->columns * grid->rows;

	grid->page.cells = memory;
	grid->other.cells = grid->page.cells + cells;
	grid->shown = grid->other.cells + cells;
	grid->page.order = (uint16_t *)(void *)(grid->shown + cells);
	grid->other.order = grid->page.order + grid->rows;
	clear_page(grid, &grid->page);
}

enum status text_grid_init(const struct boot_framebuffer *info, void *pixels, const struct font *font, void *memory,
			   size_t size, struct text_grid *ret)
{
	struct geometry geo = geometry(info->width, info->height, font);
	size_t most_rows = geo.columns == 0 ? 0 : size / row_size(geo.columns);
	enum status status;

	if (most_rows > MOST_ROWS)
		most_rows = MOST_ROWS;
	if (geo.rows > most_rows)
		geo.rows = (uint32_t)most_rows;
	*ret = (struct text_grid){ .font = font, .columns = geo.columns, .rows = geo.rows, .scale = geo.scale };
	status = framebuffer_init(info, pixels, &ret->fb);
	if (status != OK)
		return status;
	if (geo.columns == 0 || geo.rows == 0)
		return ERR_NO_MEMORY;
	for (int i = 0; i < TEXT_PALETTE; i++)
		ret->pixels[i] = framebuffer_pixel(&ret->fb, text_colour_rgb((uint8_t)i));
	lay_out(ret, memory);
	text_grid_redraw(ret);
	return OK;
}

/* ---- what the screen should show ---- */

static void mark_dirty(struct text_grid *grid, uint32_t row, uint32_t end)
{
	if (!text_grid_is_dirty(grid)) {
		grid->dirty = row;
		grid->dirty_end = end;
		return;
	}
	if (row < grid->dirty)
		grid->dirty = row;
	if (end > grid->dirty_end)
		grid->dirty_end = end;
}

/* Return the cells that a row of the screen should show. */
static cell_t *row_cells(const struct text_grid *grid, uint32_t row)
{
	return grid->page.cells + (size_t)grid->page.order[row] * grid->columns;
}

static bool is_inside(const struct text_grid *grid, struct text_place place)
{
	return place.column < grid->columns && place.row < grid->rows;
}

void text_grid_put(struct text_grid *grid, struct text_place place, cell_t cell)
{
	ASSERT(is_inside(grid, place));
	row_cells(grid, place.row)[place.column] = cell;
	mark_dirty(grid, place.row, place.row + 1);
}

void text_grid_fill(struct text_grid *grid, struct text_place place, uint32_t count, cell_t cell)
{
	ASSERT(is_inside(grid, place));
	while (count > 0 && place.row < grid->rows) {
		cell_t *row = row_cells(grid, place.row);

		mark_dirty(grid, place.row, place.row + 1);
		for (; place.column < grid->columns && count > 0; count--)
			row[place.column++] = cell;
		place.column = 0;
		place.row++;
	}
}

/*
 * Limit *count, the number of cells to insert or delete at `place`, to the rest of the row. Returns how many cells of
 * the rest are neither pushed out nor deleted: these move.
 */
static uint32_t cut(const struct text_grid *grid, struct text_place place, uint32_t *count)
{
	uint32_t room = grid->columns - place.column;

	ASSERT(is_inside(grid, place));
	if (*count > room)
		*count = room;
	return room - *count;
}

void text_grid_insert(struct text_grid *grid, struct text_place place, uint32_t count, cell_t blank)
{
	uint32_t stay = cut(grid, place, &count);
	cell_t *at = row_cells(grid, place.row) + place.column;

	memmove(at + count, at, stay * sizeof(cell_t));
	text_grid_fill(grid, place, count, blank);
}

void text_grid_delete(struct text_grid *grid, struct text_place place, uint32_t count, cell_t blank)
{
	uint32_t stay = cut(grid, place, &count);
	cell_t *at = row_cells(grid, place.row) + place.column;

	memmove(at, at + count, stay * sizeof(cell_t));
	mark_dirty(grid, place.row, place.row + 1);
	if (count)
		text_grid_fill(grid, (struct text_place){ place.column + stay, place.row }, count, blank);
}

static void clear_row(struct text_grid *grid, uint32_t row, cell_t blank)
{
	text_grid_fill(grid, (struct text_place){ 0, row }, grid->columns, blank);
}

void text_grid_scroll_up(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank)
{
	uint16_t *order = grid->page.order;

	ASSERT(top < end && end <= grid->rows);
	if (count > end - top)
		count = end - top;
	mark_dirty(grid, top, end);
	while (count-- > 0) {
		uint16_t first = order[top];

		memmove(&order[top], &order[top + 1], (end - top - 1) * sizeof(order[0]));
		order[end - 1] = first;
		clear_row(grid, end - 1, blank);
	}
}

void text_grid_scroll_down(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank)
{
	uint16_t *order = grid->page.order;

	ASSERT(top < end && end <= grid->rows);
	if (count > end - top)
		count = end - top;
	mark_dirty(grid, top, end);
	while (count-- > 0) {
		uint16_t last = order[end - 1];

		memmove(&order[top + 1], &order[top], (end - top - 1) * sizeof(order[0]));
		order[top] = last;
		clear_row(grid, top, blank);
	}
}

void text_grid_exchange(struct text_grid *grid)
{
	struct text_page page = grid->page;

	if (!grid->exchanged)
		clear_page(grid, &grid->other);
	grid->exchanged = true;
	grid->page = grid->other;
	grid->other = page;
	mark_dirty(grid, 0, grid->rows);
}

void text_grid_set_cursor(struct text_grid *grid, const struct text_place *place)
{
	if (place && grid->cursor_shown && place->row == grid->cursor.row && place->column == grid->cursor.column)
		return;
	/* The cursor is drawn like a change of text: in the cell that it goes to, and in the cell that it leaves. */
	if (grid->cursor_shown)
		mark_dirty(grid, grid->cursor.row, grid->cursor.row + 1);
	grid->cursor_shown = place;
	if (!place)
		return;
	ASSERT(is_inside(grid, *place));
	grid->cursor = *place;
	mark_dirty(grid, place->row, place->row + 1);
}

/* ---- drawing ---- */

static void draw_cell(const struct text_grid *grid, uint32_t column, uint32_t row, cell_t cell, cell_t before)
{
	uint8_t foreground = (uint8_t)(cell.raw >> 8), background = (uint8_t)(cell.raw >> 16);
	bool reversed = cell.raw & CELL_CURSOR;
	uint8_t underlined[MOST_FONT_HEIGHT];
	struct framebuffer_glyph glyph = {
		.rows = font_bitmap(grid->font, cell.raw & 0xff),
		.height = grid->font->height,
		.scale = grid->scale,
	};

	/* Where text is hidden (both colours are equal), use another colour for the cursor, so that it can be seen. */
	if (reversed && foreground == background)
		foreground = background == TEXT_GREY ? TEXT_BLACK : TEXT_GREY;
	glyph.foreground = grid->pixels[reversed ? background : foreground];
	glyph.background = grid->pixels[reversed ? foreground : background];
	if (cell.raw & CELL_UNDERLINE) {
		memcpy(underlined, glyph.rows, grid->font->height);
		underlined[grid->font->height - 1] = 0xff;
		glyph.rows = underlined;
	} else if (cell.raw >> 8 == before.raw >> 8) {
		glyph.before = font_bitmap(grid->font, before.raw & 0xff);
	}
	framebuffer_draw(&grid->fb, column * FONT_WIDTH * grid->scale, row * grid->font->height * grid->scale, &glyph);
}

/*
 * Clear the pixels of a row, and those beside it; of the last row also those below it. The other rows are cleared when
 * they are drawn, so that nobody waits for the whole screen.
 */
static void clear_pixels(struct text_grid *grid, uint32_t row)
{
	const uint32_t height = grid->font->height * grid->scale, y = row * height;
	const bool last = row + 1 == grid->rows;

	framebuffer_fill(&grid->fb, 0, y, grid->fb.width, last ? grid->fb.height - y : height,
			 grid->pixels[TEXT_BLACK]);
	fill_cells(grid->shown + (size_t)row * grid->columns, grid->columns, first_blank(grid));
}

void text_grid_draw_row(struct text_grid *grid)
{
	uint32_t row = grid->dirty;
	const cell_t *wanted;
	cell_t *shown;

	if (!text_grid_is_dirty(grid))
		return;
	grid->dirty++;
	wanted = row_cells(grid, row);
	shown = grid->shown + (size_t)row * grid->columns;
	if (shown->raw == UNKNOWN)
		clear_pixels(grid, row);
	for (uint32_t column = 0; column < grid->columns; column++) {
		cell_t cell = wanted[column];

		if (grid->cursor_shown && grid->cursor.row == row && grid->cursor.column == column)
			cell.raw |= CELL_CURSOR;
		if (cell.raw == shown[column].raw)
			continue;
		draw_cell(grid, column, row, cell, shown[column]);
		shown[column] = cell;
	}
}

void text_grid_redraw(struct text_grid *grid)
{
	for (uint32_t row = 0; row < grid->rows; row++)
		grid->shown[(size_t)row * grid->columns].raw = UNKNOWN;
	mark_dirty(grid, 0, grid->rows);
}
