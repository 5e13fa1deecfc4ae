/*
 * The terminal that programs see, judged by its pixels: motions, erasing, inserting, regions, pages, modes, colours,
 * answers; and that the kernel's messages and a program's text do not disturb each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/dev/vt_charset.h"
#include "test/host/screen_model.h"

#define COLUMNS 12
#define ROWS    5

static struct boot_framebuffer small(void)
{
	return screen_info(COLUMNS * 8, ROWS * 16, COLUMNS * 8 * 4);
}

static void open_small(struct screen *s)
{
	assert_int_equal(screen_open(s, small()), OK);
}

static void expect_rows(const struct screen *s, const char *const expected[ROWS], const char *what)
{
	for (uint32_t row = 0; row < ROWS; row++)
		if (strcmp(screen_row(s, row), expected[row]))
			fail_msg("%s: row %u is \"%s\", not \"%s\"", what, row, screen_row(s, row), expected[row]);
}

/* A fresh terminal that a program wrote `text` to shows these rows. The cursor is hidden: it counts as its character. */
static void expect_screen(const char *text, const char *a, const char *b, const char *c, const char *d, const char *e)
{
	const char *const expected[ROWS] = { a, b, c, d, e };
	struct screen s;

	open_small(&s);
	screen_run(&s, text);
	expect_rows(&s, expected, text);
	screen_close(&s);
}

/* After `text` the cursor is there, from 1. */
static void expect_place(const char *text, uint32_t row, uint32_t column)
{
	struct screen s;

	open_small(&s);
	screen_run(&s, text);
	if (s.console.at.row + 1 != row || s.console.at.column + 1 != column)
		fail_msg("\"%s\": the cursor is at %u;%u, not %u;%u", text, s.console.at.row + 1,
			 s.console.at.column + 1, row, column);
	screen_close(&s);
}

/* Five rows, the first and the last full. */
#define PAGE "1aaaaaaaaaaa2bb\r\n3cc\r\n4dd\r\n5eeeeeeeeeee"

static void controls(void **state)
{
	(void)state;
	/* To a terminal \n is a line feed only. */
	expect_screen("ab\ncd\r\nef", "ab", "  cd", "ef", "", "");
	expect_screen("ab\vcd\fef", "ab", "  cd", "    ef", "", "");
	expect_screen("ab\bX\rY", "YX", "", "", "", "");
	expect_screen("a\tb\tc\td", "a       b  d", "", "", "", "");
	expect_screen("a\033[20h\nb\033[20l\nc", "a", "b", " c", "", "");
	expect_screen("\007a\000\001\005b\177c", "a", "", "", "", "");
	expect_place("\b\b\b", 1, 1);
	expect_place("123456789012\b", 1, 11);
	expect_place("\033[5;12H\n\n", 5, 12);
}

static void wrapping(void **state)
{
	(void)state;
	/* The last column is written without going on; the next character does. */
	expect_place("123456789012", 1, 12);
	expect_screen("123456789012x", "123456789012", "x", "", "", "");
	expect_screen("123456789012\rx", "x23456789012", "", "", "", "");
	expect_screen("123456789012\033[1;12Hx", "12345678901x", "", "", "", "");
	expect_screen("123456789012\r\nx", "123456789012", "x", "", "", "");
	expect_screen("\033[?7l12345678901234\033[?7h5", "123456789014", "5", "", "", "");
	expect_screen("\033[5;1H123456789012x", "", "", "", "123456789012", "x");
	expect_screen("\033[5;1H\033[?7l123456789012xy", "", "", "", "", "12345678901y");
	/* A saved cursor knows that its row was full. */
	expect_screen("123456789012\0337\033[H\0338x", "123456789012", "x", "", "", "");
}

static void motions(void **state)
{
	(void)state;
	expect_place("\033[3;4H", 3, 4);
	expect_place("\033[3;4f\033[f", 1, 1);
	expect_place("\033[;7H", 1, 7);
	expect_place("\033[4H", 4, 1);
	expect_place("\033[99;99H", 5, 12);
	expect_place("\033[0;0H", 1, 1);
	expect_place("\033[3;4H\033[A", 2, 4);
	expect_place("\033[3;4H\033[9A", 1, 4);
	expect_place("\033[3;4H\033[0B", 4, 4);
	expect_place("\033[3;4H\033[9e", 5, 4);
	expect_place("\033[3;4H\033[2C\033[a", 3, 7);
	expect_place("\033[3;4H\033[99C", 3, 12);
	expect_place("\033[3;4H\033[2D", 3, 2);
	expect_place("\033[3;4H\033[9D", 3, 1);
	expect_place("\033[3;4H\033[E", 4, 1);
	expect_place("\033[3;4H\033[2F", 1, 1);
	expect_place("\033[3;4H\033[9G", 3, 9);
	expect_place("\033[3;4H\033[9`\033[2d", 2, 9);
	expect_place("\033[3;4H\033[9999999999d\033[4294967297G", 5, 12);
	expect_place("\033[3;4H\033D\033M\033E", 4, 1);
	expect_place("\033[3;4H\0337\033[H\0338", 3, 4);
	expect_place("\033[3;4H\033[s\033[H\033[u", 3, 4);
	expect_place("\033[3;4H\0338", 1, 1); /* nothing was saved */
}

static void tab_stops(void **state)
{
	(void)state;
	expect_place("\t", 1, 9);
	expect_place("\t\t\t", 1, 12);
	expect_place("\033[4G\033H\033[9G\033H\r\t", 1, 4);
	expect_place("\033[4G\033H\r\033[2I", 1, 9);
	expect_place("\033[12G\033[Z", 1, 9);
	expect_place("\033[12G\033[2Z", 1, 1);
	expect_place("\033[9G\033[g\r\t", 1, 12);
	expect_place("\033[4G\033H\033[3g\r\t", 1, 12);
	expect_place("\033[3g\033c\t", 1, 9);
	expect_place("\033[99I\033[99Z", 1, 1);
}

static void erasing(void **state)
{
	(void)state;
	expect_screen(PAGE "\033[3;2H\033[J", "1aaaaaaaaaaa", "2bb", "3", "", "");
	expect_screen(PAGE "\033[3;2H\033[1J", "", "", "  c", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[3;2H\033[2JX", "", "", " X", "", "");
	expect_screen(PAGE "\033[3;2H\033[3JX", "1aaaaaaaaaaa", "2bb", "3Xc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;2H\033[K", "1aaaaaaaaaaa", "2", "3cc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;2H\033[1K", "1aaaaaaaaaaa", "  b", "3cc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;2H\033[2KX", "1aaaaaaaaaaa", " X", "3cc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;2H\033[X", "1aaaaaaaaaaa", "2 b", "3cc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[1;3H\033[4X", "1a    aaaaaa", "2bb", "3cc", "4dd", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[5;3H\033[999X", "1aaaaaaaaaaa", "2bb", "3cc", "4dd", "5e");
	expect_screen(PAGE "\033[2;2H\033[?K", "1aaaaaaaaaaa", "2", "3cc", "4dd", "5eeeeeeeeeee");
}

static void inserting_and_deleting(void **state)
{
	(void)state;
	expect_screen("abcdefghijkl\033[3G\033[@", "ab cdefghijk", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[4@", "ab    cdefgh", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[99@", "ab", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[P", "abdefghijkl", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[4P", "abghijkl", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[99P", "ab", "", "", "", "");
	expect_screen("abcdefghijkl\033[12G\033[P", "abcdefghijk", "", "", "", "");
	expect_screen("abcdefghijkl\033[3G\033[4hXY\033[4lZ", "abXYZdefghij", "", "", "", "");
	expect_screen(PAGE "\033[2;3H\033[LX", "1aaaaaaaaaaa", "X", "2bb", "3cc", "4dd");
	expect_screen(PAGE "\033[2;3H\033[2M", "1aaaaaaaaaaa", "4dd", "5eeeeeeeeeee", "", "");
	expect_screen(PAGE "\033[2;3H\033[99L", "1aaaaaaaaaaa", "", "", "", "");
	expect_screen(PAGE "\033[H\033[99M", "", "", "", "", "");
	expect_screen("ab\033[3b", "abbbb", "", "", "", "");
	/* A row at the most. */
	expect_screen("\033[3bab\r\n\033[2b\033[65535bc", "ab", "bbbbbbbbbbbb", "bbc", "", "");
}

static void scrolling(void **state)
{
	(void)state;
	expect_screen(PAGE "\r\nx", "2bb", "3cc", "4dd", "5eeeeeeeeeee", "x");
	expect_screen(PAGE "\033[H\033Mx", "x", "1aaaaaaaaaaa", "2bb", "3cc", "4dd");
	expect_screen(PAGE "\033[2S", "3cc", "4dd", "5eeeeeeeeeee", "", "");
	expect_screen(PAGE "\033[2T", "", "", "1aaaaaaaaaaa", "2bb", "3cc");
	expect_screen(PAGE "\033[9999S", "", "", "", "", "");
	expect_screen(PAGE "\033[1;2;3;4;5T", "1aaaaaaaaaaa", "2bb", "3cc", "4dd", "5eeeeeeeeeee");
}

static void regions(void **state)
{
	(void)state;
	expect_place("\033[3;3H\033[2;4r", 1, 1);
	expect_screen(PAGE "\033[2;4r\033[4;1H\nx", "1aaaaaaaaaaa", "3cc", "4dd", "x", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[2;1H\033Mx", "1aaaaaaaaaaa", "x", "2bb", "3cc", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[S", "1aaaaaaaaaaa", "3cc", "4dd", "", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[2T", "1aaaaaaaaaaa", "", "", "2bb", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[3;1H\033[L", "1aaaaaaaaaaa", "2bb", "", "3cc", "5eeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[3;1H\033[M", "1aaaaaaaaaaa", "2bb", "4dd", "", "5eeeeeeeeeee");
	/* Outside it nothing scrolls and no row moves. */
	expect_screen(PAGE "\033[2;4r\033[5;1H\n\nx\033[L\033[M", "1aaaaaaaaaaa", "2bb", "3cc", "4dd", "xeeeeeeeeeee");
	expect_screen(PAGE "\033[2;4r\033[H\033M\033[Mx", "xaaaaaaaaaaa", "2bb", "3cc", "4dd", "5eeeeeeeeeee");
	expect_place("\033[2;4r\033[4;1H\033[9B", 4, 1);
	expect_place("\033[2;4r\033[5;1H\033[9B\033[9A", 2, 1);
	expect_place("\033[2;4r\033[H\033[9A\033[9B", 4, 1);
	/* No region, and none at all. */
	expect_screen(PAGE "\033[4;2r\033[3;3r\033[9;9r\033[5;1H\nx", "2bb", "3cc", "4dd", "5eeeeeeeeeee", "x");
	expect_screen(PAGE "\033[2;4r\033[r\033[5;1H\nx", "2bb", "3cc", "4dd", "5eeeeeeeeeee", "x");
	expect_screen(PAGE "\033[2r\033[5;1H\nx", "1aaaaaaaaaaa", "3cc", "4dd", "5eeeeeeeeeee", "x");
	/* Places that count from it. */
	expect_place("\033[2;4r\033[?6h", 2, 1);
	expect_place("\033[2;4r\033[?6h\033[2;2H", 3, 2);
	expect_place("\033[2;4r\033[?6h\033[9;2H", 4, 2);
	expect_place("\033[2;4r\033[?6h\033[9d", 4, 1);
	expect_place("\033[2;4r\033[?6h\033[?6l\033[5;2H", 5, 2);
}

static void pages(void **state)
{
	(void)state;
	expect_screen(PAGE "\033[3;2H\033[?1049hXY", "", "", " XY", "", "");
	expect_screen(PAGE "\033[3;2H\033[?1049h\033[HXY\033[?1049l!", "1aaaaaaaaaaa", "2bb", "3!c", "4dd",
		      "5eeeeeeeeeee");
	expect_screen(PAGE "\033[?1049l\r!", "1aaaaaaaaaaa", "2bb", "3cc", "4dd", "!eeeeeeeeeee");
	expect_screen(PAGE "\033[?1049h\033[HX\033[?1049hY\033[?1049l\033[?1049h\033[HZ", "Z", "", "", "", "");
	expect_screen(PAGE "\033[?47h\033[HX\033[?47l\033[?47hY", "XY", "", "", "", "");
	expect_screen(PAGE "\033[?1047h\033[HX\033[?1047l\033[?1047hY", " Y", "", "", "", "");
	expect_place("\033[2;3H\033[?1048h\033[H\033[?1048l", 2, 3);
	/* The region goes on; a scrolled page comes back as it was. */
	expect_screen(PAGE "\r\nx\033[?1049h\n\n\n\n\n\033[?1049l", "2bb", "3cc", "4dd", "5eeeeeeeeeee", "x");
	expect_screen(PAGE "\033[?1049h\033cx", "x", "", "", "", "");
}

static void resets(void **state)
{
	(void)state;
	expect_screen(PAGE "\033[2;4r\033[4h\033[?7l\033(0\033[7m\033cqx", "qx", "", "", "", "");
	expect_screen("abc\033[4h\033(0\033[2;3r\033[31m\033[!p\033[5;1H\nqx\033[1;1HX", "X", "", "", "", "qx");
	expect_screen("\033#8\033[2;2HX", "EEEEEEEEEEEE", "EXEEEEEEEEEE", "EEEEEEEEEEEE", "EEEEEEEEEEEE",
		      "EEEEEEEEEEEE");
}

static void what_is_not_known_is_swallowed(void **state)
{
	(void)state;
	expect_screen("a\033]0;a title\007b\033]2;another\033\\c", "abc", "", "", "", "");
	expect_screen("a\033Pq#0;2;0\033\\b\033_x\033\\c\033^y\007z\033\\d\033Xs\033\\e", "abcde", "", "", "", "");
	expect_screen("a\033]0;cut off\030b\033]0;too\033[1;5Hc", "ab  c", "", "", "", "");
	expect_screen("a\033]P0123456b\033]Rc", "abc", "", "", "", ""); /* Linux's, without an end */
	expect_screen("a\033[?2004hb\033[>4;2mc\033[=3cd\033[1$pe\033[0 qf\033[?1$pg", "abcdefg", "", "", "", "");
	expect_screen("a\033[1?2mb\033[1$2pc\033[<1Md", "abcd", "", "", "", "");
	expect_screen("a\033%Gb\033=c\033>d\033nef\033*0g\033#3h", "abcdefgh", "", "", "", "");
	expect_screen("a\033[1\030b\033[1\032c\033\033[1;7Hd", "abc   d", "", "", "", "");
	expect_screen("a\033[1;\xc3\xa9z", "a#z", "", "", "", ""); /* text ends it */
	expect_screen("a\033\xc3\xa9z", "a#z", "", "", "", "");
	expect_screen("a\033]0;\xc3\xa9\007z", "az", "", "", "", "");
	expect_screen("a\033[12\b;\t5\rHx", "a", "", "", "", "    x");
	expect_screen("a\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;5Hb", "b", "", "", "", "");
}

/* Without an end a title would keep the screen silent. */
static void a_string_without_an_end_ends(void **state)
{
	struct screen s;

	(void)state;
	open_small(&s);
	screen_run(&s, "\033]0;");
	for (int i = 0; i < VT_STRING_MAX + 10; i++)
		screen_run(&s, "t");
	assert_string_equal(screen_row(&s, 0), "tttttttttttt");
	screen_close(&s);
}

/* ---- how characters look ---- */

/* The first cell after `text` shows 'x' in these colours of the palette. */
static void expect_colours(const char *text, uint32_t foreground, uint32_t background)
{
	struct screen s;

	open_small(&s);
	screen_run(&s, text);
	screen_run(&s, "x\033[?25l");
	if (!screen_cell_is(&s, 0, 0, 'x', s.console.grid.pixels[foreground], s.console.grid.pixels[background]))
		fail_msg("\"%s\": not colour %u on %u", text, foreground, background);
	screen_close(&s);
}

static void colours(void **state)
{
	(void)state;
	expect_colours("", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[31m", TEXT_RED, TEXT_BLACK);
	expect_colours("\033[1;34m", TEXT_BRIGHT + TEXT_BLUE, TEXT_BLACK);
	expect_colours("\033[1;34;22m", TEXT_BLUE, TEXT_BLACK);
	expect_colours("\033[2m", TEXT_BRIGHT, TEXT_BLACK);
	expect_colours("\033[7m", TEXT_BLACK, TEXT_GREY);
	expect_colours("\033[7;31;42m", TEXT_GREEN, TEXT_RED);
	expect_colours("\033[7;27m", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[31;8m", TEXT_BLACK, TEXT_BLACK);
	expect_colours("\033[31;8;28m", TEXT_RED, TEXT_BLACK);
	expect_colours("\033[95;103m", TEXT_BRIGHT + TEXT_MAGENTA, TEXT_BRIGHT + TEXT_YELLOW);
	expect_colours("\033[31;42;39;49m", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[31;1;7m\033[m", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[31;1;7m\033[0;32m", TEXT_GREEN, TEXT_BLACK);
	expect_colours("\033[31;3;5;6;9;53;99;1234m", TEXT_RED, TEXT_BLACK);
	expect_colours("\033[38;5;123m\033[48;5;200m", 123, 200);
	expect_colours("\033[38;5;123;48;5;200m", 123, 200);
	expect_colours("\033[38:5:123;48:5:200m", 123, 200);
	expect_colours("\033[38;5;256;31m", TEXT_RED, TEXT_BLACK);
	expect_colours("\033[38;2;255;0;0m", 196, TEXT_BLACK);
	expect_colours("\033[38;2;255;0;0;48;2;0;0;255m", 196, 21);
	expect_colours("\033[38:2::255:0:0;48:2:0:0:255m", 196, 21);
	expect_colours("\033[38:2:255:0:0;7m", TEXT_BLACK, 196);
	expect_colours("\033[48;2;128;128;128m", TEXT_GREY, 244);
	expect_colours("\033[48;2;9999;300;256m", TEXT_GREY, 231);
	/* Cut short: nothing, or as if the rest was 0. */
	expect_colours("\033[38m", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[38;5m", TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;38;5;3m", TEXT_BRIGHT + TEXT_GREY, TEXT_BLACK);
	expect_colours("\033[4:0;31m", TEXT_RED, TEXT_BLACK);
	/* Saved and restored with the cursor. */
	expect_colours("\033[31m\0337\033[0;42m\0338", TEXT_RED, TEXT_BLACK);
}

static void the_palette_is_xterms(void **state)
{
	(void)state;
	assert_int_equal(text_colour_rgb(16), 0x000000);
	assert_int_equal(text_colour_rgb(67), 0x5f87af);
	assert_int_equal(text_colour_rgb(231), 0xffffff);
	assert_int_equal(text_colour_rgb(232), 0x080808);
	assert_int_equal(text_colour_rgb(255), 0xeeeeee);
	for (uint32_t i = TEXT_COLOURS; i < TEXT_PALETTE; i++)
		assert_int_equal(text_colour_rgb(text_colour_of(text_colour_rgb((uint8_t)i))),
				 text_colour_rgb((uint8_t)i));
	/* No other of these colours is nearer. */
	for (uint32_t rgb = 0; rgb < 0x1000000; rgb += 0x01357) {
		uint32_t best = UINT32_MAX, chosen = 0;

		for (uint32_t i = TEXT_COLOURS; i < TEXT_PALETTE; i++) {
			uint32_t far = 0;

			for (int shift = 0; shift < 24; shift += 8) {
				int by = (int)(rgb >> shift & 255) - (int)(text_colour_rgb((uint8_t)i) >> shift & 255);

				far += (uint32_t)(by * by);
			}
			best = far < best ? far : best;
			if (i == text_colour_of(rgb))
				chosen = far;
		}
		assert_int_equal(chosen, best);
	}
}

static void erased_cells_have_the_background(void **state)
{
	struct screen s;
	const uint32_t *pixels = s.console.grid.pixels;

	(void)state;
	open_small(&s);
	screen_run(&s, "\033[?25labc\033[44;4m\033[2;3H\033[K\033[X\033[1;2H\033[P\033[@");
	assert_true(screen_cell_is(&s, 5, 1, ' ', 0, pixels[TEXT_BLUE]));
	assert_true(screen_cell_is(&s, 0, 1, ' ', 0, pixels[TEXT_BLACK]));
	assert_true(screen_cell_is(&s, 1, 0, ' ', 0, pixels[TEXT_BLUE]));
	assert_true(screen_cell_is(&s, 11, 0, ' ', 0, pixels[TEXT_BLACK]));
	screen_run(&s, "\033[5;1H\n");
	assert_true(screen_cell_is(&s, 7, 4, ' ', 0, pixels[TEXT_BLUE]));
	screen_close(&s);
}

/* The lowest row of pixels is the line; it comes and goes. */
static void underlined_text(void **state)
{
	struct screen s;
	uint32_t fore, back;

	(void)state;
	open_small(&s);
	fore = s.console.grid.pixels[TEXT_RED];
	back = s.console.grid.pixels[TEXT_BLACK];
	screen_run(&s, "\033[?25l\033[4;31mx\033[24mx\033[4;7mx");
	for (uint32_t x = 0; x < 8; x++) {
		assert_int_equal(screen_pixel(&s, x, console_font.height - 1U), fore);
		assert_int_equal(screen_pixel(&s, 16 + x, console_font.height - 1U), back);
	}
	assert_false(screen_cell_is(&s, 0, 0, 'x', fore, back));
	assert_true(screen_cell_is(&s, 1, 0, 'x', fore, back));
	screen_run(&s, "\033[H\033[24;27mx\033[4my");
	assert_true(screen_cell_is(&s, 0, 0, 'x', fore, back));
	assert_false(screen_cell_is(&s, 1, 0, 'y', fore, back));
	screen_close(&s);
}

static void line_drawing(void **state)
{
	static const uint32_t expected[] = { 0x250c, 0x2500, 0x2510, 'q', 0x2502, 'x', 0x2592, 'A' };
	struct screen s;

	(void)state;
	open_small(&s);
	screen_run(&s, "\033[?25l\033(0lqk\033(Bq\033)0\016x\017x\016aA");
	for (uint32_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_true(screen_cell_is(&s, i, 0, expected[i], s.console.grid.pixels[TEXT_GREY],
					   s.console.grid.pixels[TEXT_BLACK]));
	screen_close(&s);
	assert_int_equal(vt_graphics('^'), '^');
	assert_int_equal(vt_graphics('_'), 0xa0);
	assert_int_equal(vt_graphics('~'), 0xb7);
	assert_int_equal(vt_graphics(0x7f), 0x7f);
	for (uint32_t c = 'j'; c <= 'x'; c++)
		if (c != 'o' && c != 'p' && c != 'r' && c != 's')
			assert_int_not_equal(font_glyph(&console_font, vt_graphics(c)), console_font.replacement);
}

static void characters_of_other_widths(void **state)
{
	(void)state;
	assert_int_equal(vt_width('a'), 1);
	assert_int_equal(vt_width(0xe9), 1);
	assert_int_equal(vt_width(0x2500), 1);
	assert_int_equal(vt_width(0x301), 0);
	assert_int_equal(vt_width(0x200b), 0);
	assert_int_equal(vt_width(0x4e2d), 2);
	assert_int_equal(vt_width(0x1f600), 2);
	expect_place("e\u0301x", 1, 3);
	expect_place("\u4e2dx", 1, 4);
	expect_screen("12345678901\u4e2dx", "12345678901", "# x", "", "", "");
	expect_screen("\033[?7l12345678901\u4e2dx", "12345678901x", "", "", "", "");
}

static void the_cursor(void **state)
{
	struct screen s;
	uint32_t grey, black, red;

	(void)state;
	open_small(&s);
	grey = s.console.grid.pixels[TEXT_GREY];
	black = s.console.grid.pixels[TEXT_BLACK];
	red = s.console.grid.pixels[TEXT_RED];
	screen_run(&s, "a\033[41mb");
	assert_true(screen_cell_is(&s, 2, 0, ' ', black, grey));
	screen_run(&s, "\b");
	assert_true(screen_cell_is(&s, 1, 0, 'b', red, grey));
	screen_run(&s, "\033[?25l");
	assert_true(screen_cell_is(&s, 1, 0, 'b', grey, red));
	screen_run(&s, "\033[H\033[?25h");
	assert_true(screen_cell_is(&s, 0, 0, 'a', black, grey));
	/* On the other page too, and on text that shows no ink. */
	screen_run(&s, "\033[?1049h\033[3;3H\033[37;47m \b");
	assert_true(screen_cell_is(&s, 2, 2, ' ', grey, black));
	screen_run(&s, "\033[?1049l");
	assert_true(screen_cell_is(&s, 0, 0, 'a', black, grey));
	/* Full rows: on the last column. */
	screen_run(&s, "\033[m\033[2J\033[H123456789012");
	assert_true(screen_cell_is(&s, 11, 0, '2', black, grey));
	screen_close(&s);
}

/* ---- answers, modes, the two streams ---- */

static void expect_answer(const char *text, const char *expected)
{
	char bytes[TEXT_REPLY + 1];
	struct screen s;

	open_small(&s);
	screen_run(&s, text);
	bytes[text_console_reply(&s.console, bytes)] = '\0';
	assert_string_equal(bytes, expected);
	assert_int_equal(text_console_reply(&s.console, bytes), 0);
	/* An answer that is echoed asks nothing. */
	screen_run(&s, expected);
	assert_int_equal(text_console_reply(&s.console, bytes), 0);
	screen_close(&s);
}

static void answers(void **state)
{
	struct screen s;
	char bytes[TEXT_REPLY];

	(void)state;
	expect_answer("\033[5n", "\033[0n");
	expect_answer("\033[6n", "\033[1;1R");
	expect_answer("\033[999;999H\033[6n", "\033[5;12R");
	expect_answer("123456789012\033[6n", "\033[1;12R");
	expect_answer("\033[3;4H\033[?6n", "\033[?3;4R");
	expect_answer("\033[2;4r\033[?6h\033[2;2H\033[6n", "\033[2;2R");
	expect_answer("\033[c\033[0c\033Z", "\033[?6c\033[?6c\033[?6c");
	expect_answer("\033[>c", "\033[>1;0;0c");
	expect_answer("\033[18t", "\033[8;5;12t");
	expect_answer("\033[1c\033[7n\033[?5n\033[22;0;0t\033[?c\033[=c", "");
	/* Those that there is no room for are left out whole. */
	expect_answer(
		"\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[6n\033[5n",
		"\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[1;1R\033[0n");
	/* The kernel asks nothing. */
	open_small(&s);
	screen_write(&s, "\033[6n\033[c");
	assert_int_equal(text_console_reply(&s.console, bytes), 0);
	screen_close(&s);
}

static void application_keys(void **state)
{
	struct screen s;

	(void)state;
	open_small(&s);
	assert_false(s.console.application_cursor);
	screen_run(&s, "\033[?1h\033=");
	assert_true(s.console.application_cursor);
	screen_run(&s, "\033[?1;7l");
	assert_false(s.console.application_cursor);
	assert_false(s.console.program.style.modes & TEXT_WRAP);
	screen_run(&s, "\033[?1h\033[!p");
	assert_false(s.console.application_cursor);
	screen_close(&s);
}

static void kernel_messages_and_programs_do_not_mix(void **state)
{
	struct screen s;

	(void)state;
	open_small(&s);
	/* In the middle of a sequence, of a character and of a title. */
	screen_run(&s, "a\033[3");
	screen_write(&s, "K\n");
	screen_run(&s, "1mb\033[0m\xc3");
	screen_write(&s, "L\n");
	screen_run(&s, "\xa9\033]0;ti");
	screen_write(&s, "M\n");
	screen_run(&s, "tle\007d");
	expect_rows(&s, (const char *const[]){ "aK", "#L", "#M", "d", "" }, "in the middle");
	assert_true(screen_cell_is(&s, 0, 1, 'b', s.console.grid.pixels[TEXT_RED], s.console.grid.pixels[TEXT_BLACK]));
	screen_close(&s);

	/* Colours, sets, insertion, wrapping, hidden cursor, a region that scrolls: none of that is the kernel's. */
	open_small(&s);
	screen_run(&s, "1\r\n2\033[31;4;7m\033(0\033[4h\033[?7l\033[?25l\033[1;2r\033[5;1H");
	screen_write(&s, "123456789012xqx\nlog");
	expect_rows(&s, (const char *const[]){ "", "", "123456789012", "xqx", "log" }, "modes");
	screen_run(&s, "\033[24mq");
	assert_true(
		screen_cell_is(&s, 3, 4, 0x2500, s.console.grid.pixels[TEXT_BLACK], s.console.grid.pixels[TEXT_RED]));
	screen_close(&s);
}

/* ---- any bytes ---- */

/* After a reset the screen shows the kernel's text as a new one does: pixel for pixel. */
static void the_panic_page_starts_afresh(void **state)
{
	static const char *const messes[] = {
		"\033[8mhidden",
		"\033[?1049h\033[2;3r\033[3;1H",
		"\033[?25l\033[7mreverse",
		"\033[3gtabs\033]0;a title",
		"\033[5;1H\033[12",
		"text \xe2\x94",
		"\033(0lqqk",
	};
	static const char page[] = "panic\n\tat\n\033[1mbold\n";
	struct screen s, fresh;

	(void)state;
	open_small(&fresh);
	screen_write(&fresh, page);
	for (size_t i = 0; i < sizeof(messes) / sizeof(messes[0]); i++)
		for (int stream = 0; stream < 2; stream++) {
			open_small(&s);
			(stream ? screen_run : screen_write)(&s, messes[i]);
			text_console_reset(&s.console);
			screen_write(&s, page);
			assert_memory_equal(s.pixels, fresh.pixels, s.info.size);
			screen_close(&s);
		}
	screen_close(&fresh);
}

static void expect_sound(const struct screen *s)
{
	const struct text_console *c = &s->console;
	const struct text_grid *g = &c->grid;
	bool seen[2][ROWS] = { { false } };

	assert_true(c->at.column < g->columns && c->at.row < g->rows);
	assert_true(c->program.top < c->program.end && c->program.end <= g->rows);
	assert_true(c->kernel.top == 0 && c->kernel.end == g->rows);
	assert_true(c->replied <= TEXT_REPLY);
	assert_true(c->program.parser.count <= VT_PARAMETERS + 1);
	/* The other page is filled when it is shown for the first time. */
	for (uint32_t row = 0; row < g->rows; row++) {
		assert_true(g->page.order[row] < g->rows && (!g->exchanged || g->other.order[row] < g->rows));
		seen[0][g->page.order[row]] = seen[1][g->exchanged ? g->other.order[row] : row] = true;
	}
	for (uint32_t row = 0; row < g->rows; row++)
		assert_true(seen[0][row] && seen[1][row]);
}

/*
 * Nothing leaves the screen (AddressSanitizer), the state stays sound, and it does not matter when it is drawn: what a
 * second terminal shows, that drew only at the end, is the same.
 */
static void any_bytes_are_survived(void **state)
{
	static const char alphabet[] =
		"\033\033\033\033[[[[[[;;;:?>?!$ (0)B##78]PX\\\a0123456789hlmrABCDEFGHIJKLMPSTXZ@`abcdef"
		"gnstu\n\r\b\t\016\017\030xyz\xc3\xa9\xe4\xb8\xad\xff";
	unsigned int seed = 20261123;
	struct screen early, late;

	(void)state;
	for (int round = 0; round < 400; round++) {
		char text[1500];

		open_small(&early);
		open_small(&late);
		for (size_t i = 0; i < sizeof(text); i++) {
			text[i] = round % 8 == 0 ? (char)rand_r(&seed)
						 : alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
			text_console_feed(&early.console, &early.console.program, &text[i], 1);
			if (rand_r(&seed) % 16 == 0)
				while (text_console_draw_row(&early.console) && rand_r(&seed) % 4)
					;
		}
		text_console_feed(&late.console, &late.console.program, text, sizeof(text));
		expect_sound(&early);
		expect_sound(&late);
		screen_run(&early, "");
		screen_run(&late, "");
		assert_memory_equal(early.pixels, late.pixels, early.info.size);
		screen_close(&early);
		screen_close(&late);
	}
}

static void one_column_and_one_row(void **state)
{
	struct screen s;

	(void)state;
	assert_int_equal(screen_open(&s, screen_info(8, 16, 32)), OK);
	screen_run(&s, "ab\033[5;5Hc\033[L\033[M\033[@\033[P\033[9X\033[2;1r\033[1;1r\033M\033D\t\033[Z\u4e2d\033[?"
		       "1049hx\033#8");
	assert_int_equal(s.console.at.row, 0);
	screen_run(&s, "\033[?25lz");
	assert_true(screen_cell_is(&s, 0, 0, 'z', s.console.grid.pixels[TEXT_GREY], s.console.grid.pixels[TEXT_BLACK]));
	screen_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(motions),
		cmocka_unit_test(tab_stops),
		cmocka_unit_test(erasing),
		cmocka_unit_test(inserting_and_deleting),
		cmocka_unit_test(scrolling),
		cmocka_unit_test(regions),
		cmocka_unit_test(pages),
		cmocka_unit_test(resets),
		cmocka_unit_test(what_is_not_known_is_swallowed),
		cmocka_unit_test(a_string_without_an_end_ends),
		cmocka_unit_test(colours),
		cmocka_unit_test(the_palette_is_xterms),
		cmocka_unit_test(erased_cells_have_the_background),
		cmocka_unit_test(underlined_text),
		cmocka_unit_test(line_drawing),
		cmocka_unit_test(characters_of_other_widths),
		cmocka_unit_test(the_cursor),
		cmocka_unit_test(answers),
		cmocka_unit_test(application_keys),
		cmocka_unit_test(kernel_messages_and_programs_do_not_mix),
		cmocka_unit_test(the_panic_page_starts_afresh),
		cmocka_unit_test(any_bytes_are_survived),
		cmocka_unit_test(one_column_and_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
