/*
 * Physical memory and a space's mappings as pictures for a terminal that shows colours and UTF-8: bars of character
 * cells, a colour for each kind of memory. A piece's width grows with the square of its size's logarithm, and is at
 * least one cell, so that small ranges can be seen beside large ones.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

#define MAP_DRAW_LEAST 64  /* fewest columns that a picture takes */
#define MAP_DRAW_MOST  120 /* most columns; a wider terminal stays empty beside the picture */
#define MAP_DRAW_USUAL 80  /* columns when the terminal's width is not known */

/*
 * Draw physical memory in one to three rows, each with its first address and its size; then the legend of colours. The
 * legend lists every type in the map, even one that got no cell because there are very many ranges.
 */
void map_draw_memory(print_fn *print, const struct memmap *map, unsigned columns);

/*
 * Draw a row for each kernel range of paging/layout.h, showing what is mapped of it; then the legend of colours. Call
 * in the kernel context, which alone maps all RAM and so all tables. Only one picture can be drawn at a time.
 */
void map_draw_space(print_fn *print, const struct space *s, unsigned columns);
