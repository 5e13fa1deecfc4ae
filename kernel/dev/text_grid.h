/*
 * The screen as a grid of character cells: what it should show, what it shows, and the difference drawn.
 */
#pragma once

#include "kernel/dev/font.h"
#include "kernel/dev/framebuffer.h"
#include "kernel/dev/text_palette.h"

/* Bits 0-7 the glyph, 8-15 the foreground, 16-23 the background, then enum cell_flag. */
typedef struct {
	uint32_t raw;
} cell_t;

enum cell_flag {
	CELL_UNDERLINE = 1 << 24,
	CELL_CURSOR = 1 << 25, /* the grid's own: colours exchanged */
};

static inline cell_t text_cell(uint8_t glyph, uint8_t foreground, uint8_t background, uint32_t flags)
{
	return (cell_t){ glyph | (uint32_t)foreground << 8 | (uint32_t)background << 16 | flags };
}

/* A place on the screen, from 0 at the top left. */
struct text_place {
	uint32_t column, row;
};

/* A screen's text: the cells, and where each row of the screen is in them, so that scrolling moves no cell. */
struct text_page {
	cell_t *cells;   /* columns * rows */
	uint16_t *order; /* rows: a permutation */
};

struct text_grid {
	struct framebuffer fb;
	const struct font *font;
	uint32_t pixels[TEXT_PALETTE]; /* the colours as pixel values */
	uint32_t columns, rows;        /* at least 1; rows at most 65535 */
	uint32_t scale;                /* of each glyph */
	struct text_page page;         /* what should be on the screen */
	struct text_page other;        /* what text_grid_exchange() brings */
	cell_t *shown;                 /* columns * rows, from the screen's top: what has been drawn */
	uint32_t dirty, dirty_end;     /* rows outside [dirty, dirty_end) of the screen are as wanted */
	struct text_place cursor;
	bool cursor_shown;
};

/* Bytes of memory that a grid over all of this framebuffer needs; 0 when it has no room for a single cell. */
size_t text_grid_size(const struct boot_framebuffer *info, const struct font *font);

/*
 * Fill *ret and clear the screen to spaces in grey on black. `memory` (text_grid_size() bytes, aligned to 4) stays
 * the grid's for good, and must be mapped whenever the grid is used; with less of it the screen has fewer rows.
 * Returns framebuffer_init()'s errors, or ERR_NO_MEMORY (no room for one row); nothing is drawn then and *ret is
 * undefined.
 */
MUST_CHECK enum status text_grid_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
				      void *memory, size_t size, struct text_grid *ret);

/*
 * These change what the screen should show, and touch no pixel: text_grid_draw_row() does. Places must lie inside;
 * counts are cut to what there is room for. `blank` is what stands in cells that come free.
 */
void text_grid_put(struct text_grid *grid, struct text_place place, cell_t cell);
void text_grid_fill(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t cell); /* row after row */
/* Move the rest of the row right, or left over what is deleted. */
void text_grid_insert(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t blank);
void text_grid_delete(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t blank);
/* Move the rows [top, end), 0 <= top < end <= rows, up or down. */
void text_grid_scroll_up(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank);
void text_grid_scroll_down(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank);
/* The other page comes to the screen, with the text it had when it went. */
void text_grid_exchange(struct text_grid *grid);
/* Show the cursor at `*place`, or none when it is NULL. */
void text_grid_set_cursor(struct text_grid *grid, const struct text_place *place);

/* Is there a row to draw? */
static inline bool text_grid_is_dirty(const struct text_grid *grid)
{
	return grid->dirty < grid->dirty_end;
}

/*
 * Draw one of the dirty rows, if there is one: those cells that differ. Only this writes pixels. Between two calls
 * anything may change.
 */
void text_grid_draw_row(struct text_grid *grid);
