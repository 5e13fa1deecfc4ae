/*
 * Character sets and widths of a terminal.
 */
#pragma once

#include <stdint.h>

/* What a character of the DEC special graphics set (ESC ( 0) is in Unicode: lines where lower-case letters are. */
uint32_t vt_graphics(uint32_t code_point);

/* Columns that a character takes: 0 when it belongs to the one before, 2 for East Asian ones and pictures, else 1. */
unsigned vt_width(uint32_t code_point);
