/*
 * The grid of cells. Owns both copies of the screen's text, the palette and the choice of what to draw again;
 * interprets no characters.
 *
 * Reading a framebuffer back to scroll it is what makes such consoles slow. Here the wanted and the shown
 * text are compared in ordinary memory, and only cells that differ are drawn: after a scroll most cells of a
 * screen of log lines are blank before and after.
 */
#include "kernel/dev/text_grid.h"

#include "kernel/lib/panic.h"

/* More columns than this are too small to read on any screen in use: then every pixel is enlarged. */
#define MOST_COLUMNS 240

#define CELL_CURSOR 0x8000

static const uint32_t palette[TEXT_COLOURS] = {
	0x0b0e14, 0xd0454c, 0x4fae57, 0xc08a2b, 0x4a7fd4, 0xa867c4, 0x35a3a3, 0xc5c8ce,
	0x6b7280, 0xff7b7f, 0x86d98c, 0xf0c563, 0x86b4ff, 0xd79bf0, 0x72d9d9, 0xffffff,
};

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

static size_t cells(struct geometry geo)
{
	return (size_t)geo.columns * geo.rows;
}

size_t text_grid_size(const struct boot_framebuffer *info, const struct font *font)
{
	return 2 * sizeof(cell_t) * cells(geometry(info->width, info->height, font));
}

enum status text_grid_init(const struct boot_framebuffer *info, void *pixels, const struct font *font, void *memory,
			   size_t size, struct text_grid *ret)
{
	struct geometry geo = geometry(info->width, info->height, font);
	uint32_t most_rows = geo.columns == 0 ? 0 : size / (2 * sizeof(cell_t) * geo.columns);
	cell_t blank = text_cell(font->space, TEXT_GREY, TEXT_BLACK);
	enum status status;

	if (geo.rows > most_rows)
		geo.rows = most_rows;
	*ret = (struct text_grid){ .font = font, .columns = geo.columns, .rows = geo.rows, .scale = geo.scale };
	status = framebuffer_init(info, pixels, &ret->fb);
	if (status != OK)
		return status;
	if (cells(geo) == 0)
		return ERR_NO_MEMORY;
	for (int i = 0; i < TEXT_COLOURS; i++)
		ret->pixels[i] = framebuffer_pixel(&ret->fb, palette[i]);
	ret->wanted = memory;
	ret->shown = ret->wanted + cells(geo);
	for (size_t i = 0; i < 2 * cells(geo); i++)
		ret->wanted[i] = blank;
	framebuffer_fill(&ret->fb, 0, 0, ret->fb.width, ret->fb.height, ret->pixels[TEXT_BLACK]);
	return OK;
}

static void mark_dirty(struct text_grid *grid, uint32_t row, uint32_t end)
{
	if (grid->dirty == grid->dirty_end) {
		grid->dirty = row;
		grid->dirty_end = end;
		return;
	}
	if (row < grid->dirty)
		grid->dirty = row;
	if (end > grid->dirty_end)
		grid->dirty_end = end;
}

/* The wanted cells of a row of the screen. */
static cell_t *wanted_row(const struct text_grid *grid, uint32_t row)
{
	uint32_t in_ring = grid->top + row;

	if (in_ring >= grid->rows)
		in_ring -= grid->rows;
	return grid->wanted + (size_t)in_ring * grid->columns;
}

void text_grid_put(struct text_grid *grid, struct text_place place, cell_t cell)
{
	ASSERT(place.column < grid->columns && place.row < grid->rows);
	wanted_row(grid, place.row)[place.column] = cell;
	mark_dirty(grid, place.row, place.row + 1);
}

void text_grid_fill(struct text_grid *grid, struct text_place place, uint32_t count, cell_t cell)
{
	while (count > 0 && place.row < grid->rows) {
		cell_t *row = wanted_row(grid, place.row);

		mark_dirty(grid, place.row, place.row + 1);
		for (; place.column < grid->columns && count > 0; count--)
			row[place.column++] = cell;
		place.column = 0;
		place.row++;
	}
}

void text_grid_scroll(struct text_grid *grid, cell_t blank)
{
	grid->top = grid->top + 1 < grid->rows ? grid->top + 1 : 0;
	mark_dirty(grid, 0, grid->rows);
	text_grid_fill(grid, (struct text_place){ 0, grid->rows - 1 }, grid->columns, blank);
}

static void draw_cell(const struct text_grid *grid, uint32_t column, uint32_t row, cell_t cell, cell_t before)
{
	uint32_t foreground = grid->pixels[cell.raw >> 8 & 15];
	uint32_t background = grid->pixels[cell.raw >> 12 & 7];
	bool reversed = cell.raw & CELL_CURSOR;
	struct framebuffer_glyph glyph = {
		.rows = font_bitmap(grid->font, cell.raw & 0xff),
		.before = NULL,
		.height = grid->font->height,
		.scale = grid->scale,
		.foreground = reversed ? background : foreground,
		.background = reversed ? foreground : background,
	};

	if (cell.raw >> 8 == before.raw >> 8)
		glyph.before = font_bitmap(grid->font, before.raw & 0xff);
	framebuffer_draw(&grid->fb, column * FONT_WIDTH * grid->scale, row * grid->font->height * grid->scale, &glyph);
}

static void draw_row(const struct text_grid *grid, uint32_t row)
{
	const cell_t *wanted = wanted_row(grid, row);
	cell_t *shown = grid->shown + (size_t)row * grid->columns;

	for (uint32_t column = 0; column < grid->columns; column++) {
		if (wanted[column].raw == shown[column].raw)
			continue;
		draw_cell(grid, column, row, wanted[column], shown[column]);
		shown[column] = wanted[column];
	}
}

void text_grid_draw(struct text_grid *grid, const struct text_place *cursor)
{
	cell_t *under_cursor = NULL;

	/* The cursor is one more difference: of the cell it goes to, and of the one it leaves. */
	mark_dirty(grid, grid->cursor_row, grid->cursor_row + 1);
	if (cursor) {
		ASSERT(cursor->column < grid->columns && cursor->row < grid->rows);
		under_cursor = &wanted_row(grid, cursor->row)[cursor->column];
		under_cursor->raw |= CELL_CURSOR;
		grid->cursor_row = cursor->row;
		mark_dirty(grid, cursor->row, cursor->row + 1);
	}
	for (uint32_t row = grid->dirty; row < grid->dirty_end; row++)
		draw_row(grid, row);
	if (under_cursor)
		under_cursor->raw &= ~CELL_CURSOR;
	grid->dirty = grid->dirty_end = 0;
}
