/*
 * Character sets and widths of a terminal.
 */
#pragma once

#include <stdint.h>

/*
 * Return what a character of the DEC special graphics set (ESC ( 0) is in Unicode: lines in place of lower-case
 * letters.
 */
uint32_t vt_graphics(uint32_t code_point);

/*
 * Return how many columns a character takes: 0 when it combines with the character before it, 2 for wide East Asian
 * characters and pictures (emoji), otherwise 1.
 */
unsigned vt_width(uint32_t code_point);
