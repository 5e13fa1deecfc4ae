/*
 * The 256 colours of a terminal: 16 of AnkeOS's own choice, a cube of 6 x 6 x 6 and 24 greys, numbered as xterm does.
 */
#pragma once

#include <stdint.h>

/* The colours that the escape sequence SGR (ESC [ … m) selects by the numbers 30-37, then the bright ones (90-97). */
enum text_colour {
	TEXT_BLACK,
	TEXT_RED,
	TEXT_GREEN,
	TEXT_YELLOW,
	TEXT_BLUE,
	TEXT_MAGENTA,
	TEXT_CYAN,
	TEXT_GREY,
	TEXT_BRIGHT,        /* the first of the 8 bright colours */
	TEXT_COLOURS = 16,  /* how many colours SGR 30-37 and 90-97 select */
	TEXT_PALETTE = 256, /* how many colours there are */
};

/* Return a colour's 0xRRGGBB. */
uint32_t text_colour_rgb(uint8_t colour);

/* Return that colour of the cube or the greys which is nearest to 0xRRGGBB. */
uint8_t text_colour_of(uint32_t rgb);
