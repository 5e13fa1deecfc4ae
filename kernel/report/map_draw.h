/*
 * The two maps as a picture for a terminal that shows colours and UTF-8: bars of character cells, a colour for each
 * kind of memory. A larger piece is wider, by the square of its size's logarithm, and has at least one cell: so small
 * ranges show beside large ones.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

#define MAP_DRAW_LEAST 64  /* fewest columns that a picture takes */
#define MAP_DRAW_MOST  120 /* most columns; a wider terminal stays empty beside the picture */
#define MAP_DRAW_USUAL 80  /* columns when nobody knows how many the terminal has */

/*
 * Draw physical memory in one to three rows, each with its first address and its size; then what the colours mean, of
 * all types that there are: with very many ranges a type may have no cell.
 */
void map_draw_memory(print_fn *print, const struct memmap *map, unsigned columns);

/*
 * Draw a row for each kernel range of paging/layout.h, showing what is mapped of it; then what the colours mean. Only
 * in the kernel context, and one call at a time.
 */
void map_draw_space(print_fn *print, const struct space *s, unsigned columns);
