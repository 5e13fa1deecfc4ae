/*
 * How characters are drawn: the colours and attributes that SGR selects (ECMA-48, "SELECT GRAPHIC RENDITION").
 */
#pragma once

#include "kernel/dev/text_grid.h"
#include "kernel/dev/vt_parser.h"

enum vt_attribute {
	VT_BOLD = 1 << 0, /* the bright one of the first 8 colours */
	VT_DIM = 1 << 1,  /* text in the default colour becomes darker */
	VT_UNDERLINE = 1 << 2,
	VT_REVERSE = 1 << 3,
	VT_HIDDEN = 1 << 4,
};

struct vt_pen {
	uint8_t foreground, background; /* of the palette (text_grid.h) */
	uint8_t attributes;             /* enum vt_attribute */
};

#define VT_PEN_DEFAULT ((struct vt_pen){ TEXT_GREY, TEXT_BLACK, 0 })

/*
 * Do what a sequence ESC [ … m says. Of 38 and 48 both forms are known, with ';' and with ':'; other colours than the
 * palette's become the nearest of it. Unknown parameters change nothing.
 */
void vt_pen_select(struct vt_pen *pen, const struct vt_parser *sequence);

/* A cell with this glyph. */
cell_t vt_pen_cell(const struct vt_pen *pen, uint8_t glyph);

/* What an erased cell is: the background colour, and no attribute. */
cell_t vt_pen_blank(const struct vt_pen *pen, const struct font *font);
