/*
 * The screen as a grid of character cells: what it should show, what it shows, and the difference drawn.
 */
#pragma once

#include "kernel/dev/font.h"
#include "kernel/dev/framebuffer.h"

/* The colours of ECMA-48's SGR 30-37, then their bright ones (90-97). */
enum text_colour {
	TEXT_BLACK,
	TEXT_RED,
	TEXT_GREEN,
	TEXT_YELLOW,
	TEXT_BLUE,
	TEXT_MAGENTA,
	TEXT_CYAN,
	TEXT_GREY,
	TEXT_BRIGHT,
	TEXT_COLOURS = 16,
};

/* Bits 0-7 the glyph, 8-11 the foreground, 12-14 the background (not bright), 15 under the cursor. */
typedef struct {
	uint16_t raw;
} cell_t;

static inline cell_t text_cell(uint8_t glyph, enum text_colour foreground, enum text_colour background)
{
	return (cell_t){ (uint16_t)(glyph | foreground << 8 | (background & 7) << 12) };
}

struct text_grid {
	struct framebuffer fb;
	const struct font *font;
	uint32_t pixels[TEXT_COLOURS]; /* the colours as pixel values */
	uint32_t columns, rows;        /* at least 1 */
	uint32_t scale;                /* of each glyph */
	cell_t *wanted;                /* columns * rows; a ring of rows, so that scrolling moves nothing */
	cell_t *shown;                 /* columns * rows, from the screen's top: what has been drawn */
	uint32_t top;                  /* the row of `wanted` that is the screen's first */
	uint32_t dirty, dirty_end;     /* rows outside [dirty, dirty_end) of the screen are as wanted */
	uint32_t cursor_row;           /* where the cursor was drawn last */
};

/* A place on the screen, from 0 at the top left. */
struct text_place {
	uint32_t column, row;
};

/* Bytes of memory that a grid over all of this framebuffer needs; 0 when it has no room for a single cell. */
size_t text_grid_size(const struct boot_framebuffer *info, const struct font *font);

/*
 * Fill *ret and clear the screen to spaces in grey on black. `memory` (text_grid_size() bytes, aligned to 2) stays
 * the grid's for good, and must be mapped whenever the grid is used; with less of it the screen has fewer rows.
 * Returns framebuffer_init()'s errors, or ERR_NO_MEMORY (no room for one row); nothing is drawn then and *ret is
 * undefined.
 */
MUST_CHECK enum status text_grid_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
				      void *memory, size_t size, struct text_grid *ret);

/* These change what the screen should show. Nothing is drawn before text_grid_draw(). */
void text_grid_put(struct text_grid *grid, struct text_place place, cell_t cell);
void text_grid_fill(struct text_grid *grid, struct text_place place, uint32_t cells, cell_t cell); /* row after row */
void text_grid_scroll(struct text_grid *grid, cell_t blank); /* one row up; the last one becomes blank */

/* Draw the cells that differ, and the cursor at `*cursor`, or none when it is NULL. */
void text_grid_draw(struct text_grid *grid, const struct text_place *cursor);
