/*
 * The text console, judged by its pixels alone: text, wrapping, scrolling, colours, sequences, broken UTF-8, odd
 * screens. SCREEN_PPM=FILE in the environment also writes a picture of one screen, to be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "test/host/screen_model.h"

/* 20 columns, 4 rows, and margins of 5 and 3 pixels; the pitch is odd. */
static struct boot_framebuffer small(void)
{
	return screen_info(20 * 8 + 5, 4 * 16 + 3, (20 * 8 + 5) * 4 + 7);
}

static void expect_rows(const struct screen *screen, const char *a, const char *b, const char *c, const char *d)
{
	const char *expected[] = { a, b, c, d };

	for (uint32_t row = 0; row < 4; row++)
		assert_string_equal(screen_row(screen, row), expected[row]);
}

/* A fresh small screen shows `text` as these rows. */
static void expect_screen(const char *text, const char *a, const char *b, const char *c, const char *d)
{
	struct screen screen;

	assert_int_equal(screen_open(&screen, small()), OK);
	screen_write(&screen, text);
	expect_rows(&screen, a, b, c, d);
	screen_close(&screen);
}

static void text_and_controls(void **state)
{
	(void)state;
	expect_screen("Hello, world\n{[(~)]}", "Hello, world", "{[(~)]}", "", "");
	expect_screen("abc\rX\nde\bF\tg", "Xbc", "dF      g", "", "");
	expect_screen("\b\ba\a\001\177b", "ab", "", "", "");
	expect_screen("01234567890123456789", "01234567890123456789", "", "", "");
	expect_screen("01234567890123456789\nx", "01234567890123456789", "x", "", "");
	expect_screen("01234567890123456789xy", "01234567890123456789", "xy", "", "");
	expect_screen("0123456789012345678\tx", "0123456789012345678x", "", "", "");
	expect_screen("1\n2\n3\n4\n5\n6", "3", "4", "5", "6");
	expect_screen("1\n2\n3\n4\n", "2", "3", "4", "");
}

static void sequences(void **state)
{
	(void)state;
	expect_screen("abcdef\033[3D\033[K!", "abc!", "", "", "");
	expect_screen("abcdef\033[4D\033[1K", "   def", "", "", "");
	expect_screen("abcdef\033[2Kg", "      g", "", "", "");
	expect_screen("ab\033[3Cc\033[100Dd\033[100Ce", "db   c             e", "", "", "");
	expect_screen("1\n2\n3\n4\033[H\033[2Jx", "x", "", "", "");
	expect_screen("1\n2\n3\n4\033[2;1H\033[Jx", "1", "x", "", "");
	expect_screen("1\n2\n3\n4\033[3;1H\033[1Jx", "", "", "x", "4");
	expect_screen("\033[2;3Ha\033[99;99Hb\033[;5Hc", "    c", "  a", "", "                   b");
	/* What is not known is swallowed; control characters work inside. */
	expect_screen("a\033[?9hb\033[12;3;4yc\033nd\033[\nCe\033[1;2;3;4;5;6;7;8;9;10;11yf", "abcd", " ef", "", "");
	expect_screen("\033[99999999999999999999Cx", "                   x", "", "", "");
}

static void colours(void **state)
{
	struct screen s;
	const uint32_t *pixels = s.console.grid.pixels;

	(void)state;
	assert_int_equal(screen_open(&s, small()), OK);
	screen_write(&s, "a\033[31mb\033[1mc\033[22;44md\033[39;49me\033[97mf\033[0mg\033[1mh\033[mi\033[?25l");
	assert_true(screen_cell_is(&s, 0, 0, 'a', pixels[TEXT_GREY], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 1, 0, 'b', pixels[TEXT_RED], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 2, 0, 'c', pixels[TEXT_BRIGHT + TEXT_RED], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 3, 0, 'd', pixels[TEXT_RED], pixels[TEXT_BLUE]));
	assert_true(screen_cell_is(&s, 4, 0, 'e', pixels[TEXT_GREY], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 5, 0, 'f', pixels[TEXT_BRIGHT + TEXT_GREY], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 6, 0, 'g', pixels[TEXT_GREY], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 7, 0, 'h', pixels[TEXT_BRIGHT + TEXT_GREY], pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 8, 0, 'i', pixels[TEXT_GREY], pixels[TEXT_BLACK]));
	for (int i = 0; i < TEXT_COLOURS; i++)
		for (int j = 0; j < i; j++)
			assert_int_not_equal(pixels[i], pixels[j]);
	screen_close(&s);
}

static void the_cursor_is_one_reversed_cell(void **state)
{
	struct screen s;
	uint32_t grey, black;

	(void)state;
	assert_int_equal(screen_open(&s, small()), OK);
	grey = s.console.grid.pixels[TEXT_GREY], black = s.console.grid.pixels[TEXT_BLACK];
	screen_write(&s, "ab");
	assert_true(screen_cell_is(&s, 2, 0, ' ', black, grey));
	screen_write(&s, "\b");
	assert_true(screen_cell_is(&s, 1, 0, 'b', black, grey));
	assert_true(screen_cell_is(&s, 2, 0, ' ', grey, black));
	screen_write(&s, "\n");
	assert_true(screen_cell_is(&s, 1, 0, 'b', grey, black));
	assert_true(screen_cell_is(&s, 0, 1, ' ', black, grey));
	screen_write(&s, "\n\n\n\n");
	assert_true(screen_cell_is(&s, 0, 3, ' ', black, grey));
	assert_true(screen_cell_is(&s, 0, 2, ' ', grey, black));
	screen_write(&s, "01234567890123456789");
	assert_true(screen_cell_is(&s, 19, 3, '9', black, grey));
	screen_write(&s, "\033[?25l");
	assert_true(screen_cell_is(&s, 19, 3, '9', grey, black));
	screen_close(&s);
}

/* Row 0 of a fresh screen shows these code points (0 ends them), and nothing behind them. */
static void expect_code_points(const char *text, const uint32_t *expected)
{
	struct screen s;
	uint32_t column = 0;

	assert_int_equal(screen_open(&s, small()), OK);
	screen_write(&s, "\033[?25l");
	screen_write(&s, text);
	for (; expected[column] != 0; column++)
		assert_true(screen_cell_is(&s, column, 0, expected[column], s.console.grid.pixels[TEXT_GREY],
					   s.console.grid.pixels[TEXT_BLACK]));
	assert_int_equal(s.console.at.column, column);
	screen_close(&s);
}

#define R                 0xfffd
#define EXPECT(text, ...) expect_code_points(text, (const uint32_t[]){ __VA_ARGS__, 0 })

static void utf8(void **state)
{
	(void)state;
	EXPECT("\u00e9\u251c\u2500\u20ac", 0xe9, 0x251c, 0x2500, 0x20ac);
	EXPECT("\xf0\x9f\x98\x80x", R, ' ', 'x'); /* two columns, not in the font */
	EXPECT("\200a\277", R, 'a', R);           /* continuation without a start */
	EXPECT("\xc0\xaf", R, R);                 /* overlong '/' */
	EXPECT("\xe0\x80\xaf", R, R, R);
	EXPECT("\xed\xa0\x80", R, R, R);        /* surrogate */
	EXPECT("\xf4\x90\x80\x80", R, R, R, R); /* above U+10FFFF */
	EXPECT("\xf5\xff", R, R);
	EXPECT("\xe2\x94x", R, 'x'); /* cut short */
	EXPECT("\xe2\xe2\x94\x80", R, 0x2500);
	EXPECT("\xf0\x9f\x98\xc3\xa9", R, 0xe9);
	EXPECT("\xe2\033[31m\033[39mx", R, 'x');
	EXPECT("\u2500\xc2\x85z", 0x2500, R, 'z'); /* a C1 control is no control here */
}

/* The same bytes in one call and one by one leave the same pixels: what is drawn does not depend on when. */
static void drawing_in_pieces_makes_no_difference(void **state)
{
	static const char alphabet[] = "abc \n\n\t\b\r\033\033\033[[[[1234;;mHJKCD?hl\xe2\x94\x80\xc3\xa9\xff";
	unsigned int seed = 20240607;
	struct screen whole, pieces;

	(void)state;
	for (int round = 0; round < 60; round++) {
		char text[2000];

		assert_int_equal(screen_open(&whole, small()), OK);
		assert_int_equal(screen_open(&pieces, small()), OK);
		for (size_t i = 0; i < sizeof(text); i++) {
			text[i] = round % 3 == 0 ? rand_r(&seed) : alphabet[rand_r(&seed) % (sizeof(alphabet) - 1)];
			text_console_write(&pieces.console, &text[i], 1);
		}
		text_console_write(&whole.console, text, sizeof(text));
		assert_memory_equal(whole.pixels, pieces.pixels, whole.info.size);
		screen_close(&whole);
		screen_close(&pieces);
	}
}

static void padding_is_never_written(void **state)
{
	struct screen s;

	(void)state;
	assert_int_equal(screen_open(&s, small()), OK);
	for (int i = 0; i < 200; i++)
		screen_write(&s, "\033[32mfull rows of text\u2588\u2588\u2588\u2588\u2588\u2588 and more\n\033[44m");
	for (uint32_t y = 0; y + 1 < s.info.height; y++)
		for (uint32_t at = s.info.width * 4; at < s.info.pitch; at++)
			assert_int_equal(s.pixels[(size_t)y * s.info.pitch + at], SCREEN_UNTOUCHED);
	/* The margins right and below keep the colour of an empty screen. */
	for (uint32_t y = 0; y < s.info.height; y++)
		for (uint32_t x = y < 64 ? 160 : 0; x < s.info.width; x++)
			assert_int_equal(screen_pixel(&s, x, y), s.console.grid.pixels[TEXT_BLACK]);
	screen_close(&s);
}

static void screens_of_all_sizes(void **state)
{
	static const struct {
		uint32_t width, height, columns, rows, scale;
	} sizes[] = {
		{ 8, 16, 1, 1, 1 },         { 15, 31, 1, 1, 1 },        { 640, 480, 80, 30, 1 },
		{ 1366, 768, 170, 48, 1 },  { 1920, 1080, 240, 67, 1 }, { 2560, 1440, 160, 45, 2 },
		{ 3840, 2160, 240, 67, 2 }, { 7680, 4320, 240, 67, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct screen s;

		assert_int_equal(screen_open(&s, screen_info(sizes[i].width, sizes[i].height, sizes[i].width * 4)), OK);
		assert_int_equal(s.console.grid.columns, sizes[i].columns);
		assert_int_equal(s.console.grid.rows, sizes[i].rows);
		assert_int_equal(s.console.grid.scale, sizes[i].scale);
		assert_true(text_grid_size(&s.info, &console_font) <= 190 * 1024);
		screen_write(&s, "\033[?25l\033[999;999HZ");
		assert_true(screen_cell_is(&s, sizes[i].columns - 1, sizes[i].rows - 1, 'Z',
					   s.console.grid.pixels[TEXT_GREY], s.console.grid.pixels[TEXT_BLACK]));
		screen_write(&s, "many\nlines\non\na\nscreen of any size\n\n\n\033[2J\xe2\x94\x80");
		screen_close(&s);
	}
}

static void what_cannot_work_is_refused(void **state)
{
	struct boot_framebuffer info = screen_info(64, 64, 256);
	uint32_t memory[(3 * 4 * 8 + 2 * 2) * 4 / 4];
	struct text_console console;

	(void)state;
	assert_int_equal(text_grid_size(&info, &console_font), sizeof(memory));
	assert_int_equal(text_console_init(&info, NULL, &console_font, memory, 3 * 4 * 8 + 2 * 2 - 1, &console),
			 ERR_NO_MEMORY);
	info = screen_info(7, 64, 28); /* not a single cell */
	assert_int_equal(text_console_init(&info, NULL, &console_font, memory, sizeof(memory), &console),
			 ERR_NO_MEMORY);
	info.width = 0;
	assert_int_equal(text_grid_size(&info, &console_font), 0);
	assert_int_equal(text_console_init(&info, NULL, &console_font, memory, sizeof(memory), &console),
			 ERR_NOT_FOUND);
}

/* Too little memory for the whole screen: the rows that fit are used, and nothing beyond the memory. */
static void little_memory_makes_fewer_rows(void **state)
{
	struct screen s = { .info = small(), .pixels = malloc(small().size) };
	size_t size = text_grid_size(&s.info, &console_font) - 1;

	(void)state;
	s.memory = malloc(size);
	assert_int_equal(text_console_init(&s.info, s.pixels, &console_font, s.memory, size, &s.console), OK);
	assert_int_equal(s.console.grid.rows, 3);
	screen_write(&s, "1\n2\n3\n4\n5");
	expect_rows(&s, "3", "4", "5", "");
	screen_close(&s);
}

static void write_ppm(const struct screen *s, const char *path)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	fprintf(file, "P6 %u %u 255\n", s->info.width, s->info.height);
	for (uint32_t y = 0; y < s->info.height; y++)
		for (uint32_t x = 0; x < s->info.width; x++) {
			uint32_t pixel = screen_pixel(s, x, y);

			fprintf(file, "%c%c%c", pixel >> 16 & 0xff, pixel >> 8 & 0xff, pixel & 0xff);
		}
	assert_int_equal(fclose(file), 0);
}

static void a_picture(void **state)
{
	const char *path = getenv("SCREEN_PPM");
	struct screen s;

	(void)state;
	assert_int_equal(screen_open(&s, screen_info(800, 480, 3328)), OK);
	for (int i = 0; i < 40; i++)
		screen_write(&s, "this line has scrolled away, or should have: 0123456789\n");
	screen_write(&s, "\033[2J\033[H\033[97mAnkeOS\033[0m \u2014 screen of the host test, 100 \u00d7 30 cells\n\n");
	screen_write(&s, "  \u250c\u2500\u2500\u2500\u2500\u2500\u2500\u252c\u2500\u2500\u2500\u2500\u2500\u2510\n"
			 "  \u2502 text \u2502 W^X \u2502\n"
			 "  \u2514\u2500\u2500\u2500\u2500\u2500\u2500\u2534\u2500\u2500\u2500\u2500\u2500\u2518\n\n");
	screen_write(&s, "ffffffff80000000-ffffffff80012000  r-x  72 KiB  4K  kernel image\n");
	screen_write(&s, "The quick brown fox jumps over the lazy dog 0123456789 {}[]()<>|\\/@#$%^&*~`'\"\n");
	screen_write(&s, "Gr\u00fc\u00dfe, \u00e0 bient\u00f4t, \u20ac 5, \u00b1\u00b5 \u2026 \u2190\u2191\u2192\u2193 "
			 "\u4e2d (not in the font) \xff (not UTF-8)\n\n");
	for (int i = 0; i < 16; i++) {
		char text[64];

		snprintf(text, sizeof(text), "\033[%dmcolour %-2d\033[0m%s", i < 8 ? 30 + i : 82 + i, i,
			 i % 8 == 7 ? "\n" : " ");
		screen_write(&s, text);
	}
	screen_write(&s, "\033[97;41m panic: frame 0x1234 freed twice \033[0m\n\nanke> map\b");
	if (path)
		write_ppm(&s, path);
	screen_close(&s);
}

/* A program has drawn on the screen: after text_grid_redraw() it looks as before, the margins, too. */
static void a_redraw_undoes_what_others_drew(void **state)
{
	struct boot_framebuffer info = small();
	uint8_t *before = malloc(info.size);
	struct screen s;

	(void)state;
	assert_int_equal(screen_open(&s, info), OK);
	screen_write(&s, "one \033[41mtwo\033[m\n\n\033[4mfour");
	memcpy(before, s.pixels, info.size);
	for (uint32_t y = 0; y < info.height; y++)
		memset(s.pixels + (size_t)y * info.pitch, 0x55, (size_t)info.width * 4);
	text_grid_redraw(&s.console.grid);
	screen_write(&s, "");
	assert_memory_equal(s.pixels, before, info.size);
	free(before);
	screen_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_controls),
		cmocka_unit_test(sequences),
		cmocka_unit_test(colours),
		cmocka_unit_test(the_cursor_is_one_reversed_cell),
		cmocka_unit_test(utf8),
		cmocka_unit_test(drawing_in_pieces_makes_no_difference),
		cmocka_unit_test(padding_is_never_written),
		cmocka_unit_test(screens_of_all_sizes),
		cmocka_unit_test(what_cannot_work_is_refused),
		cmocka_unit_test(little_memory_makes_fewer_rows),
		cmocka_unit_test(a_redraw_undoes_what_others_drew),
		cmocka_unit_test(a_picture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
