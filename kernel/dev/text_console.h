/*
 * A text console on a framebuffer: UTF-8 text with the control characters and the escape sequences (ECMA-48) that
 * logs and a line editor use.
 *
 *   \r \n \b \t      \n also returns to the first column
 *   ESC [ n C, D     cursor right, left         ESC [ r ; c H    cursor to row and column, from 1
 *   ESC [ n J, K     erase the screen, the line: 0 from the cursor on, 1 up to it, 2 all
 *   ESC [ … m        0, 1, 22, 30-37, 39, 40-47, 49, 90-97
 *   ESC [ ? 25 h, l  show, hide the cursor
 *
 * Other sequences are swallowed; what the font has no glyph for shows as its replacement glyph.
 */
#pragma once

#include "kernel/dev/text_grid.h"
#include "kernel/dev/utf8.h"

#define TEXT_PARAMETERS 8

enum text_state {
	TEXT_PLAIN,
	TEXT_ESCAPE,  /* after ESC */
	TEXT_CONTROL, /* after ESC [ */
};

struct text_console {
	struct text_grid grid;
	struct utf8 utf8;
	struct text_place at; /* column == columns: the row is full, the next character goes to the next row */
	uint8_t foreground;   /* enum text_colour, not bright by SGR 1 */
	uint8_t background;
	bool bold;   /* SGR 1: the bright colour instead */
	bool cursor; /* shown */
	enum text_state state;
	bool question;      /* the sequence began with '?' */
	uint8_t parameters; /* index of the one being read */
	uint16_t parameter[TEXT_PARAMETERS];
};

/* As text_grid_init(), whose errors it returns; `memory` likewise stays the console's. The cursor is shown. */
MUST_CHECK enum status text_console_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
					 void *memory, size_t size, struct text_console *ret);

/*
 * Show the text. Characters and sequences may be split over calls. All of it is drawn at once at the
 * end, so that much text in one call costs no more than a screen.
 */
void text_console_write(struct text_console *console, const char *text, size_t size);
