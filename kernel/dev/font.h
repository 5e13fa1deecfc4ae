/*
 * The console's font: which glyph stands for a character, and the glyph's bitmap. The data comes from a Debian console
 * font at build time (scripts/mkfont).
 */
#pragma once

#include <stdint.h>

#define FONT_WIDTH 8

/* Consecutive characters: the `count` code points from `first` on have the glyphs from number `glyph` on. */
struct font_range {
	uint16_t first;
	uint8_t count;
	uint8_t glyph;
};

struct font {
	const uint8_t *bitmaps;          /* `height` bytes a glyph, top row first, leftmost pixel in bit 7 */
	const struct font_range *ranges; /* sorted by `first`, without overlap */
	uint16_t range_count;
	uint16_t glyphs;     /* 1 to 256 */
	uint8_t height;      /* pixels, 1 to 32 */
	uint8_t space;       /* the glyph of U+0020 */
	uint8_t replacement; /* the glyph for characters that the font does not have */
};

extern const struct font console_font;

/* Return the glyph for a Unicode code point, or the replacement glyph. */
uint8_t font_glyph(const struct font *font, uint32_t code_point);

/* Return the glyph's bitmap: `height` rows. */
static inline const uint8_t *font_bitmap(const struct font *font, uint8_t glyph)
{
	return font->bitmaps + (uint32_t)glyph * font->height;
}
