/*
 * Finds the glyph of a code point by a binary search in the font's table. Draws nothing.
 */
#include "kernel/dev/font.h"

uint8_t font_glyph(const struct font *font, uint32_t code_point)
{
	uint32_t low = 0, high = font->range_count;

	/* Invariant: ranges below index `low` end before the code point, ranges from `high` on start after it. */
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		const struct font_range *range = &font->ranges[middle];

		if (code_point < range->first)
			high = middle;
		else if (code_point - range->first >= range->count)
			low = middle + 1;
		else
			return range->glyph + (code_point - range->first);
	}
	return font->replacement;
}
