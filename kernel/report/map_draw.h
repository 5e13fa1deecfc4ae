/*
 * The two maps as a picture for a terminal that shows colours and UTF-8: bars of character cells, a kind of memory a
 * colour. A piece is wider the larger it is, by the square of its size's logarithm, and at least one cell: small
 * ranges show beside large ones.
 */
#pragma once

#include "kernel/boot/memmap.h"
#include "kernel/report/print.h"
#include "paging/space.h"

#define MAP_DRAW_LEAST 64  /* columns */
#define MAP_DRAW_MOST  120 /* what is wider stays empty */
#define MAP_DRAW_USUAL 80  /* where nobody knows */

/*
 * Physical memory in one to three rows, each with its first address and how much it spans; then what the colours mean, of all
 * types that there are: with very many ranges some have no cell.
 */
void map_draw_memory(print_fn *print, const struct memmap *map, unsigned columns);

/*
 * A row for each kernel range of paging/layout.h with what is mapped of it, then what the colours mean. Only in the kernel
 * context, and never two at once.
 */
void map_draw_space(print_fn *print, const struct space *s, unsigned columns);
