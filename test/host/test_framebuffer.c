/*
 * Pixels: what framebuffer_init() refuses, pixel values for every kind of mask, rectangles and glyphs on odd
 * pitches, and that no byte but the pixels meant is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "test/host/screen_model.h"

static void bad_framebuffers_are_refused(void **state)
{
	struct boot_framebuffer good = screen_info(64, 32, 256);
	struct framebuffer fb = { .pitch = 12345 };
	struct boot_framebuffer bad;
	uint8_t pixels[1];

	(void)state;
	bad = good, bad.width = 0;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_NOT_FOUND);
	bad = good, bad.height = 0;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_NOT_FOUND);
	bad = good, bad.pitch = 255;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_RANGE);
	bad = good, bad.size--;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_RANGE);
	bad = good, bad.width = 0x40000001; /* times 4 it is 4 */
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_RANGE);
	bad = good, bad.height = 0xffffffff, bad.pitch = 0xffffffff;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_RANGE);
	bad = good, bad.red_bits = 0;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_FORMAT);
	bad = good, bad.green_shift = 25;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_FORMAT);
	bad = good, bad.blue_shift = 255;
	assert_int_equal(framebuffer_init(&bad, pixels, &fb), ERR_FORMAT);
	assert_int_equal(fb.pitch, 12345);
	assert_int_equal(framebuffer_init(&good, pixels, &fb), OK);
	assert_int_equal(fb.pitch, 256);
}

static void pixel_values_follow_the_masks(void **state)
{
	struct framebuffer bgr = {
		.red_shift = 16, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_shift = 0, .blue_bits = 8
	};
	struct framebuffer rgb = {
		.red_shift = 0, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_shift = 16, .blue_bits = 8
	};
	struct framebuffer deep = {
		.red_shift = 20, .red_bits = 10, .green_shift = 10, .green_bits = 10, .blue_shift = 0, .blue_bits = 10
	};
	struct framebuffer high = {
		.red_shift = 11, .red_bits = 5, .green_shift = 5, .green_bits = 6, .blue_shift = 0, .blue_bits = 5
	};

	(void)state;
	assert_int_equal(framebuffer_pixel(&bgr, 0x123456), 0x123456);
	assert_int_equal(framebuffer_pixel(&rgb, 0x123456), 0x563412);
	assert_int_equal(framebuffer_pixel(&deep, 0xffffff), 0x3fffffff);
	assert_int_equal(framebuffer_pixel(&deep, 0x800000), 0x202u << 20);
	assert_int_equal(framebuffer_pixel(&high, 0xffffff), 0xffff);
	assert_int_equal(framebuffer_pixel(&high, 0x0000ff), 0x001f);
	assert_int_equal(framebuffer_pixel(&high, 0x080408), 0x0821);
	assert_int_equal(framebuffer_pixel(&high, 0), 0);
}

/* Every byte of the memory: `inside` where the rectangle is, untouched elsewhere. */
static void expect_rectangle(const struct boot_framebuffer *info, const uint8_t *pixels, uint32_t x, uint32_t y,
			     uint32_t width, uint32_t height, uint32_t inside)
{
	for (uint64_t at = 0; at < info->size; at++) {
		uint32_t row = at / info->pitch, column = at % info->pitch / 4;
		bool in = row >= y && row < y + height && column >= x && column < x + width &&
			  at % info->pitch < (uint64_t)info->width * 4;
		uint8_t expected = in ? inside >> (at % info->pitch % 4 * 8) : SCREEN_UNTOUCHED;

		assert_int_equal(pixels[at], expected);
	}
}

static void rectangles_write_nothing_else(void **state)
{
	static const uint32_t pitches[] = { 37 * 4, 37 * 4 + 1, 37 * 4 + 6, 160, 161 };

	(void)state;
	for (size_t i = 0; i < sizeof(pitches) / sizeof(pitches[0]); i++) {
		struct boot_framebuffer info = screen_info(37, 11, pitches[i]);
		struct framebuffer fb;

		for (uint32_t width = 0; width <= 37; width++) {
			uint8_t *pixels = malloc(info.size);

			memset(pixels, SCREEN_UNTOUCHED, info.size);
			assert_int_equal(framebuffer_init(&info, pixels, &fb), OK);
			framebuffer_fill(&fb, 37 - width, 2, width, 9, 0x11223344);
			expect_rectangle(&info, pixels, 37 - width, 2, width, 9, 0x11223344);
			free(pixels);
		}
	}
}

static uint32_t read_pixel(const struct boot_framebuffer *info, const uint8_t *pixels, uint32_t x, uint32_t y)
{
	uint32_t pixel;

	memcpy(&pixel, pixels + (size_t)y * info->pitch + (size_t)x * 4, 4);
	return pixel;
}

static void glyphs_are_drawn_at_every_scale(void **state)
{
	static const uint8_t rows[3] = { 0x80, 0x5a, 0x01 };
	static const uint8_t before[3] = { 0x80, 0x00, 0x01 };

	(void)state;
	for (uint32_t scale = 1; scale <= FRAMEBUFFER_MAX_SCALE; scale++) {
		struct boot_framebuffer info = screen_info(8 * scale + 3, 3 * scale + 2, (8 * scale + 3) * 4 + 5);
		struct framebuffer_glyph glyph = {
			.rows = rows, .height = 3, .scale = scale, .foreground = 0xf0f1f2f3, .background = 0x01020304
		};
		uint8_t *pixels = malloc(info.size);
		struct framebuffer fb;

		assert_int_equal(framebuffer_init(&info, pixels, &fb), OK);
		for (int again = 0; again < 2; again++) {
			memset(pixels, SCREEN_UNTOUCHED, info.size);
			glyph.before = again ? before : NULL;
			framebuffer_draw(&fb, 3, 2, &glyph);
			for (uint32_t y = 0; y < info.height; y++)
				for (uint32_t x = 0; x < info.width; x++) {
					uint32_t expected = 0xaaaaaaaa;
					uint32_t row = (y - 2) / scale;

					/* With `before` only the middle row differs. */
					if (x >= 3 && y >= 2 && (!again || row == 1))
						expected = rows[row] >> (7 - (x - 3) / scale) & 1 ? 0xf0f1f2f3
												  : 0x01020304;
					assert_int_equal(read_pixel(&info, pixels, x, y), expected);
				}
		}
		free(pixels);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_framebuffers_are_refused),
		cmocka_unit_test(pixel_values_follow_the_masks),
		cmocka_unit_test(rectangles_write_nothing_else),
		cmocka_unit_test(glyphs_are_drawn_at_every_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
