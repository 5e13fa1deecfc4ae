/*
 * The screen as a grid of character cells: holds what the screen should show and what has been drawn, and draws the
 * difference.
 */
#pragma once

#include "kernel/dev/font.h"
#include "kernel/dev/framebuffer.h"
#include "kernel/dev/text_palette.h"

/* A character cell: bits 0-7 the glyph, 8-15 the foreground, 16-23 the background, then enum cell_flag. */
typedef struct {
	uint32_t raw;
} cell_t;

enum cell_flag {
	CELL_UNDERLINE = 1 << 24,
	CELL_CURSOR = 1 << 25, /* set by the grid only: the cursor is here, colours are exchanged */
};

static inline cell_t text_cell(uint8_t glyph, uint8_t foreground, uint8_t background, uint32_t flags)
{
	return (cell_t){ glyph | (uint32_t)foreground << 8 | (uint32_t)background << 16 | flags };
}

/* A place on the screen, counted from 0 at the top left. */
struct text_place {
	uint32_t column, row;
};

/*
 * The text of a screen. order[n] is the row of `cells` that row n of the screen shows: scrolling changes `order`, and
 * copies no cells.
 */
struct text_page {
	cell_t *cells;   /* columns * rows */
	uint16_t *order; /* a permutation of the rows */
};

struct text_grid {
	struct framebuffer fb;
	const struct font *font;
	uint32_t pixels[TEXT_PALETTE]; /* the colours as pixel values */
	uint32_t columns, rows;        /* at least 1; rows at most 65535 */
	uint32_t scale;                /* how many pixels wide and high a dot of a glyph is drawn */
	struct text_page page;         /* what the screen should show */
	struct text_page other;        /* the page that text_grid_exchange() shows next */
	bool exchanged;                /* text_grid_exchange() was called; before that `other` is not filled */
	cell_t *shown;                 /* columns * rows cells, in the screen's order: what has been drawn */
	uint32_t dirty, dirty_end;     /* rows of the screen outside [dirty, dirty_end) show what they should */
	struct text_place cursor;
	bool cursor_shown;
};

/* Return how many bytes of memory a grid over all of this framebuffer needs; 0 when not even one cell fits. */
size_t text_grid_size(const struct boot_framebuffer *info, const struct font *font);

/*
 * Fill *ret with spaces in grey on black; all rows are to be drawn, over whatever the screen shows. No pixel changes
 * here. `memory`, aligned to 4, belongs to the grid from now on, and must be mapped whenever the grid is used. If it
 * has less than text_grid_size() bytes, the grid has fewer rows than the screen has room for.
 * Returns framebuffer_init()'s errors, or ERR_NO_MEMORY (no room for one row); *ret is undefined then.
 */
MUST_CHECK enum status text_grid_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
				      void *memory, size_t size, struct text_grid *ret);

/*
 * Change what the screen should show. These calls touch no pixel: text_grid_draw_row() does. Places must lie inside the
 * screen; counts are limited to what fits. `blank` is put into cells that become free.
 */
void text_grid_put(struct text_grid *grid, struct text_place place, cell_t cell);
/* Fill `cells` cells from a place on, row after row. */
void text_grid_fill(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t cell);
/*
 * Insert `cells` blank cells, which moves the rest of the row right; or delete `cells` cells, over which the rest moves
 * left.
 */
void text_grid_insert(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t blank);
void text_grid_delete(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t blank);
/* Move the rows [top, end), 0 <= top < end <= rows, up or down by `count` rows. */
void text_grid_scroll_up(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank);
void text_grid_scroll_down(struct text_grid *grid, uint32_t top, uint32_t end, uint32_t count, cell_t blank);
/* Show the other page, with the text that it had when it was last shown. */
void text_grid_exchange(struct text_grid *grid);
/* Show the cursor at `*place`; NULL: nowhere. */
void text_grid_set_cursor(struct text_grid *grid, const struct text_place *place);

/*
 * Have all rows drawn anew, and with them the pixels beside and below the cells, because somebody else has drawn on
 * the screen.
 */
void text_grid_redraw(struct text_grid *grid);

/* Return whether a row is to be drawn. */
static inline bool text_grid_is_dirty(const struct text_grid *grid)
{
	return grid->dirty < grid->dirty_end;
}

/*
 * Draw one of the dirty rows, if there is one; only its cells that differ are drawn. Text may be changed between two
 * calls.
 */
void text_grid_draw_row(struct text_grid *grid);
