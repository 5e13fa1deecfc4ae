/*
 * A screen in ordinary memory, for tests: a console drawn on it, and the text read back from its pixels.
 */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "kernel/dev/text_console.h"

#define SCREEN_UNTOUCHED 0xaa /* bytes that no pixel covers keep this */

struct screen {
	struct boot_framebuffer info;
	uint8_t *pixels; /* exactly info.size bytes, so that AddressSanitizer sees a write outside */
	void *memory;
	struct text_console console;
};

/* What is common on PCs: blue in the lowest byte, 8 bits each. */
static inline struct boot_framebuffer screen_info(uint32_t width, uint32_t height, uint32_t pitch)
{
	return (struct boot_framebuffer){
		.size = (uint64_t)pitch * (height - 1) + (uint64_t)width * 4,
		.width = width,
		.height = height,
		.pitch = pitch,
		.red_shift = 16,
		.red_bits = 8,
		.green_shift = 8,
		.green_bits = 8,
		.blue_shift = 0,
		.blue_bits = 8,
	};
}

static inline enum status screen_open(struct screen *screen, struct boot_framebuffer info)
{
	size_t size = text_grid_size(&info, &console_font);

	screen->info = info;
	screen->pixels = malloc(info.size);
	memset(screen->pixels, SCREEN_UNTOUCHED, info.size);
	screen->memory = malloc(size);
	return text_console_init(&info, screen->pixels, &console_font, screen->memory, size, &screen->console);
}

static inline void screen_close(struct screen *screen)
{
	free(screen->pixels);
	free(screen->memory);
}

static inline void screen_write(struct screen *screen, const char *text)
{
	text_console_write(&screen->console, text, strlen(text));
}

/* A program's text, shown at once. */
static inline void screen_run(struct screen *screen, const char *text)
{
	text_console_feed(&screen->console, &screen->console.program, text, strlen(text));
	while (text_console_draw_row(&screen->console))
		;
}

static inline uint32_t screen_pixel(const struct screen *screen, uint32_t x, uint32_t y)
{
	uint32_t pixel;

	memcpy(&pixel, screen->pixels + (size_t)y * screen->info.pitch + (size_t)x * 4, 4);
	return pixel;
}

/* Does the cell show this glyph in these colours, each pixel enlarged alike? */
static inline bool screen_cell_is(const struct screen *screen, uint32_t column, uint32_t row, uint32_t code_point,
				  uint32_t foreground, uint32_t background)
{
	uint32_t scale = screen->console.grid.scale;
	const uint8_t *bitmap = font_bitmap(&console_font, font_glyph(&console_font, code_point));

	for (uint32_t y = 0; y < console_font.height * scale; y++)
		for (uint32_t x = 0; x < FONT_WIDTH * scale; x++) {
			bool set = bitmap[y / scale] >> (7 - x / scale) & 1;
			uint32_t pixel = screen_pixel(screen, column * FONT_WIDTH * scale + x,
						      row * console_font.height * scale + y);

			if (pixel != (set ? foreground : background))
				return false;
		}
	return true;
}

/*
 * The row's text as its pixels show it in the default colours, spaces at the end left out: ASCII as it is,
 * '#' for any other cell. The cell under the cursor (colours exchanged) counts as its character.
 */
static inline const char *screen_row(const struct screen *screen, uint32_t row)
{
	static char text[512];
	uint32_t fore = screen->console.grid.pixels[TEXT_GREY], back = screen->console.grid.pixels[TEXT_BLACK];
	size_t length = 0;

	for (uint32_t column = 0; column < screen->console.grid.columns; column++) {
		char shown = '#';

		for (char c = ' '; c <= '~'; c++)
			if (screen_cell_is(screen, column, row, c, fore, back) ||
			    screen_cell_is(screen, column, row, c, back, fore)) {
				shown = c;
				break;
			}
		text[column] = shown;
		if (shown != ' ')
			length = column + 1;
	}
	text[length] = '\0';
	return text;
}
