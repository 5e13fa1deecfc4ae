/*
 * Draws into a linear framebuffer of 32 bits a pixel. Pixels are written and never read: write-combining memory
 * is slow to read by a factor of hundreds.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/* The most that a glyph can be enlarged; a screen of 7680 x 4320 pixels needs 4. */
#define FRAMEBUFFER_MAX_SCALE 8

struct framebuffer {
	uint8_t *pixels; /* where the framebuffer is mapped; the functions below need page tables with that mapping */
	uint32_t width;  /* pixels */
	uint32_t height; /* pixels */
	uint32_t pitch;  /* bytes from one row to the next */
	/* where a colour lies in a pixel: the number of its lowest bit, and how many bits it has */
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
};

/*
 * Describe the framebuffer `info`, which is mapped at `pixels`.
 * Returns ERR_NOT_FOUND (width or height 0), ERR_RANGE (rows overlap, or need more than info->size bytes), ERR_FORMAT
 * (a colour has 0 bits, more than 16, or some beyond bit 31); *ret is unchanged then. Writes no pixel.
 */
MUST_CHECK enum status framebuffer_init(const struct boot_framebuffer *info, void *pixels, struct framebuffer *ret);

/* Return the pixel value of the colour 0xRRGGBB. */
uint32_t framebuffer_pixel(const struct framebuffer *fb, uint32_t rgb);

/* Fill a rectangle with one colour. Places and sizes are in pixels; the rectangle must lie inside the screen. */
void framebuffer_fill(const struct framebuffer *fb, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
		      uint32_t pixel);

/* A bitmap of 8 x `height` dots, each drawn as `scale` x `scale` pixels. */
struct framebuffer_glyph {
	const uint8_t *rows; /* a byte a row, the leftmost dot in bit 7 */
	/*
	 * The bitmap that is on the screen at this place now, in the same colours, or NULL when that is not known. Rows
	 * that are equal in both bitmaps are not drawn.
	 */
	const uint8_t *before;
	uint32_t height;     /* rows */
	uint32_t scale;      /* 1 to FRAMEBUFFER_MAX_SCALE */
	uint32_t foreground; /* pixel value of bits that are 1 */
	uint32_t background; /* pixel value of bits that are 0 */
};

/* Draw a glyph with its top left corner at (x, y). All of it must lie inside the screen. */
void framebuffer_draw(const struct framebuffer *fb, uint32_t x, uint32_t y, const struct framebuffer_glyph *glyph);
