/*
 * The palette's values: the first 16 colours are chosen to be easy to read, the rest have xterm's values, which
 * programs expect.
 */
#include "kernel/dev/text_palette.h"

#define CUBE  16  /* number of the first colour of the 6 x 6 x 6 cube */
#define GREYS 232 /* number of the first grey; greys have 8, 18, … 238 in all channels */

static const uint32_t first_colours[TEXT_COLOURS] = {
	0x0b0e14, 0xd0454c, 0x4fae57, 0xc08a2b, 0x4a7fd4, 0xa867c4, 0x35a3a3, 0xc5c8ce,
	0x6b7280, 0xff7b7f, 0x86d98c, 0xf0c563, 0x86b4ff, 0xd79bf0, 0x72d9d9, 0xffffff,
};

static const uint8_t levels[6] = { 0, 95, 135, 175, 215, 255 };

uint32_t text_colour_rgb(uint8_t colour)
{
	uint32_t grey, place;

	if (colour < TEXT_COLOURS)
		return first_colours[colour];
	if (colour >= GREYS) {
		grey = 8 + 10U * (colour - GREYS);
		return grey << 16 | grey << 8 | grey;
	}
	place = colour - CUBE;
	return (uint32_t)levels[place / 36] << 16 | (uint32_t)levels[place / 6 % 6] << 8 | levels[place % 6];
}

static uint32_t nearest_level(uint32_t value)
{
	uint32_t level = 0;

	/* From half way between two levels on, the upper one is nearer. */
	while (level < 5 && value * 2 >= (uint32_t)levels[level] + levels[level + 1])
		level++;
	return level;
}

static uint32_t nearest_grey(uint32_t sum)
{
	uint32_t mean = sum / 3;

	if (mean < 8)
		return 0;
	return mean >= 238 ? 23 : (mean - 8 + 5) / 10;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	uint32_t sum = 0;

	for (int shift = 0; shift <= 16; shift += 8) {
		int32_t by = (int32_t)(a >> shift & 0xff) - (int32_t)(b >> shift & 0xff);

		sum += (uint32_t)(by * by);
	}
	return sum;
}

uint8_t text_colour_of(uint32_t rgb)
{
	uint32_t red = rgb >> 16 & 0xff, green = rgb >> 8 & 0xff, blue = rgb & 0xff;
	uint8_t cube = (uint8_t)(CUBE + 36 * nearest_level(red) + 6 * nearest_level(green) + nearest_level(blue));
	uint8_t grey = (uint8_t)(GREYS + nearest_grey(red + green + blue));

	return distance(rgb, text_colour_rgb(grey)) < distance(rgb, text_colour_rgb(cube)) ? grey : cube;
}
