/*
 * Tables of characters: the set that draws lines, and the characters that are not one column wide (Unicode, "East Asian
 * Width" and the general category Mn). The widths are given for whole blocks of Unicode; that is exact enough, as the
 * console's font has hardly any of these characters.
 */
#include "kernel/dev/vt_charset.h"

#include <stddef.h>

#define GRAPHICS_FIRST 0x5f

static const uint16_t graphics[] = {
	0x00a0, 0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, /* for _ ` a - f */
	0x00b1, 0x2424, 0x240b, 0x2518, 0x2510, 0x250c, 0x2514, 0x253c, /* for g - n */
	0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524, 0x2534, /* for o - v */
	0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7, /* for w - z { | } ~ */
};

struct range {
	uint32_t first, last;
};

static const struct range narrowest[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },   { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x202a, 0x202e }, { 0x2060, 0x2064 },   { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x4dbf },   { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x17000, 0x18cff }, { 0x1b000, 0x1b2ff },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

uint32_t vt_graphics(uint32_t code_point)
{
	uint32_t place = code_point - GRAPHICS_FIRST;

	return place < sizeof(graphics) / sizeof(graphics[0]) ? graphics[place] : code_point;
}

static int is_in(const struct range *ranges, size_t count, uint32_t code_point)
{
	for (size_t i = 0; i < count; i++)
		if (code_point >= ranges[i].first && code_point <= ranges[i].last)
			return 1;
	return 0;
}

unsigned vt_width(uint32_t code_point)
{
	/* Almost all text consists of characters of width 1 that precede both tables. */
	if (code_point < narrowest[0].first)
		return 1;
	if (is_in(narrowest, sizeof(narrowest) / sizeof(narrowest[0]), code_point))
		return 0;
	return is_in(wide, sizeof(wide) / sizeof(wide[0]), code_point) ? 2 : 1;
}
