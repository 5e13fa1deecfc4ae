/*
 * The pen: the colours and attributes with which characters are drawn, as SGR selects them (ECMA-48, "SELECT GRAPHIC
 * RENDITION").
 */
#pragma once

#include "kernel/dev/text_grid.h"
#include "kernel/dev/vt_parser.h"

enum vt_attribute {
	VT_BOLD = 1 << 0, /* text in one of the first 8 colours also becomes bright */
	VT_DIM = 1 << 1,  /* text in the default colour becomes darker */
	VT_UNDERLINE = 1 << 2,
	VT_REVERSE = 1 << 3,
	VT_HIDDEN = 1 << 4,
};

struct vt_pen {
	uint8_t foreground, background; /* numbers of colours in the palette (text_palette.h) */
	uint8_t attributes;             /* enum vt_attribute */
};

#define VT_PEN_DEFAULT ((struct vt_pen){ TEXT_GREY, TEXT_BLACK, 0 })

/*
 * Do what a sequence ESC [ … m says. The parameters 38 and 48, which select any colour, are understood in both forms,
 * with ';' and with ':'; a colour that is not in the palette becomes the nearest one of the palette. Unknown parameters
 * change nothing.
 */
void vt_pen_select(struct vt_pen *pen, const struct vt_parser *sequence);

/* Return a cell with this glyph, drawn by the pen. */
cell_t vt_pen_cell(const struct vt_pen *pen, uint8_t glyph);

/* Return an erased cell: the pen's colours, and no attribute. */
cell_t vt_pen_blank(const struct vt_pen *pen, const struct font *font);
