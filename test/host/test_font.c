/*
 * The font in the image against the Debian file it was made from, which is read here a second time by a parser
 * of its own; and scripts/mkfont with PSF 2, with broken files, and twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/dev/font.h"

#define FONT_FILE "/usr/share/consolefonts/Lat15-VGA16.psf.gz"
#define HEIGHT    16
#define GLYPHS    256

static uint8_t psf[65536];
static size_t psf_size;
static int glyph_of[65536]; /* -1: none */

static void read_psf(void)
{
	FILE *pipe = popen("gzip -dc " FONT_FILE, "r");
	int glyph = 0, sequence = 0;

	assert_non_null(pipe);
	psf_size = fread(psf, 1, sizeof(psf), pipe);
	assert_int_equal(pclose(pipe), 0);
	assert_true(psf_size > 4 + GLYPHS * HEIGHT);
	assert_int_equal(psf[0] | psf[1] << 8, 0x0436);
	assert_int_equal(psf[2] & 1, 0);
	assert_int_equal(psf[3], HEIGHT);
	memset(glyph_of, -1, sizeof(glyph_of));
	for (size_t at = 4 + GLYPHS * HEIGHT; at + 1 < psf_size; at += 2) {
		int unit = psf[at] | psf[at + 1] << 8;

		if (unit == 0xffff) {
			glyph++;
			sequence = 0;
		} else if (unit == 0xfffe) {
			sequence = 1;
		} else if (!sequence && glyph_of[unit] < 0) {
			glyph_of[unit] = glyph;
		}
	}
	assert_int_equal(glyph, GLYPHS);
}

static void every_code_point_has_its_bitmap(void **state)
{
	int found = 0;

	(void)state;
	read_psf();
	for (uint32_t c = 0; c < 65536; c++) {
		const uint8_t *bitmap = font_bitmap(&console_font, font_glyph(&console_font, c));
		int glyph = glyph_of[c] < 0 ? glyph_of[0xfffd] : glyph_of[c];

		assert_memory_equal(bitmap, psf + 4 + glyph * HEIGHT, HEIGHT);
		found += glyph_of[c] >= 0;
	}
	assert_int_equal(found, 528);
	assert_int_equal(font_glyph(&console_font, 0x10ffff), console_font.replacement);
	assert_int_equal(font_glyph(&console_font, 0xffffffff), console_font.replacement);
	assert_int_equal(font_glyph(&console_font, ' '), console_font.space);
}

static void the_font_is_small(void **state)
{
	(void)state;
	assert_true(console_font.glyphs <= 256);
	assert_int_equal(console_font.height, HEIGHT);
	assert_true(console_font.glyphs * HEIGHT + console_font.range_count * sizeof(struct font_range) < 10 * 1024);
}

/* ---- scripts/mkfont ---- */

static char directory[] = "/tmp/test_font.XXXXXX";

static const char *path(const char *name)
{
	static char paths[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(paths[next], sizeof(paths[0]), "%s/%s", directory, name);
	return paths[next];
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(path(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* The exit status of mkfont on `in` (a path). */
static int mkfont(const char *in, const char *out)
{
	char command[512];

	snprintf(command, sizeof(command), "scripts/mkfont %s %s 2>%s", in, out, path("errors"));
	return system(command);
}

/* Is the text of two files equal below the first line, which names the source? */
static int same_font(const char *a, const char *b)
{
	char command[512];

	snprintf(command, sizeof(command), "tail -n +2 %s >%s/a && tail -n +2 %s | cmp -s - %s/a", a, directory, b,
		 directory);
	return system(command) == 0;
}

static size_t put_utf8(uint8_t *to, unsigned int c)
{
	if (c < 0x80) {
		to[0] = c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = 0xc0 | c >> 6;
		to[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	to[0] = 0xe0 | c >> 12;
	to[1] = 0x80 | (c >> 6 & 0x3f);
	to[2] = 0x80 | (c & 0x3f);
	return 3;
}

/* The same font in the other format: header of 32 bytes, UTF-8 table with a sequence that must be passed over. */
static size_t as_psf2(uint8_t *to)
{
	const uint32_t header[8] = { 0x864ab572, 0, 32, 1, GLYPHS, HEIGHT, HEIGHT, 8 };
	size_t size = sizeof(header);

	memcpy(to, header, size);
	memcpy(to + size, psf + 4, GLYPHS * HEIGHT);
	size += GLYPHS * HEIGHT;
	for (int glyph = 0; glyph < GLYPHS; glyph++) {
		for (unsigned int c = 0; c < 65536; c++)
			if (glyph_of[c] == glyph)
				size += put_utf8(to + size, c);
		to[size++] = 0xfe;
		size += put_utf8(to + size, 0x3042);
		size += put_utf8(to + size, 0x3099);
		to[size++] = 0xff;
	}
	return size;
}

static void mkfont_reads_both_formats_alike(void **state)
{
	static uint8_t psf2[65536];

	(void)state;
	assert_non_null(mkdtemp(directory));
	read_psf();
	write_file("one.psf", psf, psf_size);
	write_file("two.psf", psf2, as_psf2(psf2));
	assert_int_equal(mkfont(FONT_FILE, path("gz.c")), 0);
	assert_int_equal(mkfont(FONT_FILE, path("again.c")), 0);
	assert_int_equal(mkfont(path("one.psf"), path("one.c")), 0);
	assert_int_equal(mkfont(path("two.psf"), path("two.c")), 0);
	assert_true(same_font(path("gz.c"), path("again.c")));
	assert_true(same_font(path("gz.c"), path("one.c")));
	assert_true(same_font(path("gz.c"), path("two.c")));
}

static void mkfont_refuses_what_is_no_font(void **state)
{
	(void)state;
	write_file("bad.psf", "not a font at all, but longer than a header", 43);
	assert_int_not_equal(mkfont(path("bad.psf"), path("bad.c")), 0);
	write_file("bad.psf", psf, 3);
	assert_int_not_equal(mkfont(path("bad.psf"), path("bad.c")), 0);
	write_file("bad.psf", psf, 4 + GLYPHS * HEIGHT - 1);
	assert_int_not_equal(mkfont(path("bad.psf"), path("bad.c")), 0);
	write_file("bad.psf", psf, psf_size - 20); /* the table lacks its end */
	assert_int_not_equal(mkfont(path("bad.psf"), path("bad.c")), 0);
	assert_int_not_equal(mkfont(path("absent.psf"), path("bad.c")), 0);
	assert_int_not_equal(access(path("bad.c"), F_OK), 0);
}

static int clean_up(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_has_its_bitmap),
		cmocka_unit_test(the_font_is_small),
		cmocka_unit_test(mkfont_reads_both_formats_alike),
		cmocka_unit_test(mkfont_refuses_what_is_no_font),
	};

	return cmocka_run_group_tests(tests, NULL, clean_up);
}
