/*
 * Draws rectangles and glyph bitmaps into a linear framebuffer, at places that the caller computes. Never reads a
 * pixel.
 *
 * Pixels are stored two at a time. x86 allows unaligned stores, so rows whose pitch is not a multiple of 8 bytes need
 * no code of their own. Aligned stores fill write-combining buffers best; glyphs lie at multiples of 8 pixels, so their
 * stores are aligned at common pitches.
 */
#include "kernel/dev/framebuffer.h"

#include "kernel/lib/panic.h"

typedef uint64_t __attribute__((aligned(1), may_alias)) pixel_pair;
typedef uint32_t __attribute__((aligned(1), may_alias)) one_pixel;

static bool fits(uint8_t shift, uint8_t bits)
{
	return bits >= 1 && bits <= 16 && shift + bits <= 32;
}

enum status framebuffer_init(const struct boot_framebuffer *info, void *pixels, struct framebuffer *ret)
{
	if (info->width == 0 || info->height == 0)
		return ERR_NOT_FOUND;
	if (info->pitch / 4 < info->width)
		return ERR_RANGE;
	/* The framebuffer may end at the last row's last pixel, without padding up to the pitch. */
	if ((uint64_t)info->pitch * (info->height - 1) + (uint64_t)info->width * 4 > info->size)
		return ERR_RANGE;
	if (!fits(info->red_shift, info->red_bits) || !fits(info->green_shift, info->green_bits) ||
	    !fits(info->blue_shift, info->blue_bits))
		return ERR_FORMAT;
	*ret = (struct framebuffer){
		.pixels = pixels,
		.width = info->width,
		.height = info->height,
		.pitch = info->pitch,
		.red_shift = info->red_shift,
		.red_bits = info->red_bits,
		.green_shift = info->green_shift,
		.green_bits = info->green_bits,
		.blue_shift = info->blue_shift,
		.blue_bits = info->blue_bits,
	};
	return OK;
}

/*
 * Scale a channel from 8 bits to `bits`. To get more than 8 bits, repeat the value in the lower bits, so that the
 * brightest value of 8 bits becomes the brightest value of `bits`.
 */
static uint32_t channel(uint32_t value, uint8_t shift, uint8_t bits)
{
	uint32_t wide = value << 8 | value;

	return (wide >> (16 - bits)) << shift;
}

uint32_t framebuffer_pixel(const struct framebuffer *fb, uint32_t rgb)
{
	return channel(rgb >> 16 & 0xff, fb->red_shift, fb->red_bits) |
	       channel(rgb >> 8 & 0xff, fb->green_shift, fb->green_bits) |
	       channel(rgb & 0xff, fb->blue_shift, fb->blue_bits);
}

static uint8_t *address(const struct framebuffer *fb, uint32_t x, uint32_t y)
{
	return fb->pixels + (uint64_t)y * fb->pitch + (uint64_t)x * 4;
}

static uint64_t pair(uint32_t left, uint32_t right)
{
	return (uint64_t)right << 32 | left;
}

static void check_inside(const struct framebuffer *fb, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	ASSERT(x <= fb->width && width <= fb->width - x);
	ASSERT(y <= fb->height && height <= fb->height - y);
}

void framebuffer_fill(const struct framebuffer *fb, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		      uint32_t pixel)
{
	uint64_t pixels = pair(pixel, pixel);

	check_inside(fb, x, y, width, height);
	for (uint32_t row = 0; row < height; row++) {
		pixel_pair *to = (pixel_pair *)address(fb, x, y + row);
		uint32_t left = width;

		/* Store eight pixels in each round: at boot this loop clears the whole screen, and should be fast. */
		for (; left >= 8; left -= 8, to += 4)
			to[0] = to[1] = to[2] = to[3] = pixels;
		for (; left >= 2; left -= 2)
			*to++ = pixels;
		if (left != 0)
			*(one_pixel *)to = pixel;
	}
}

/* Draw the 8 pixels of a row of a glyph that is not enlarged, as four pairs. */
static void draw_row(uint8_t *to, uint8_t bits, const uint64_t pairs[4])
{
	pixel_pair *row = (pixel_pair *)to;

	row[0] = pairs[bits >> 6];
	row[1] = pairs[bits >> 4 & 3];
	row[2] = pairs[bits >> 2 & 3];
	row[3] = pairs[bits & 3];
}

/*
 * Draw a row of a glyph enlarged: compute the row's pixels once, and store them `scale` times, in rows below each
 * other.
 */
static void draw_row_enlarged(uint8_t *to, uint32_t pitch, uint8_t bits, const struct framebuffer_glyph *glyph)
{
	uint32_t line[8 * FRAMEBUFFER_MAX_SCALE];
	uint32_t count = 0;

	for (int bit = 7; bit >= 0; bit--) {
		uint32_t pixel = bits >> bit & 1 ? glyph->foreground : glyph->background;

		for (uint32_t i = 0; i < glyph->scale; i++)
			line[count++] = pixel;
	}
	for (uint32_t i = 0; i < glyph->scale; i++) {
		pixel_pair *row = (pixel_pair *)(to + (uint64_t)i * pitch);

		for (uint32_t at = 0; at < count; at += 2)
			*row++ = pair(line[at], line[at + 1]);
	}
}

void framebuffer_draw(const struct framebuffer *fb, uint32_t x, uint32_t y, const struct framebuffer_glyph *glyph)
{
	uint32_t fore = glyph->foreground, back = glyph->background;
	/* The pixels for two bits of the bitmap: the upper bit is the left pixel, which has the lower address. */
	const uint64_t pairs[4] = { pair(back, back), pair(back, fore), pair(fore, back), pair(fore, fore) };
	uint8_t *to = address(fb, x, y);

	ASSERT(glyph->scale >= 1 && glyph->scale <= FRAMEBUFFER_MAX_SCALE);
	check_inside(fb, x, y, 8 * glyph->scale, glyph->height * glyph->scale);
	for (uint32_t row = 0; row < glyph->height; row++, to += (uint64_t)glyph->scale * fb->pitch) {
		uint8_t bits = glyph->rows[row];

		if (glyph->before && glyph->before[row] == bits)
			continue;
		if (glyph->scale == 1)
			draw_row(to, bits, pairs);
		else
			draw_row_enlarged(to, fb->pitch, bits, glyph);
	}
}
