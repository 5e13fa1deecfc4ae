/*
 * The source lines of the kernel's own code, from the table in its image.
 */
#pragma once

#include "kernel/report/line_table.h"
#include "kernel/report/print.h"

/* Room for line_format's longest text: " (", a path, ':', a number, ')'. */
#define LINE_TEXT (LINE_NAME + 16)

/* As line_table_find, for the instruction at `va`. */
size_t line_find(vaddr_t va, struct line_place places[LINE_DEPTH]);

/* " (paging/walk.c:77)"; "" when `count` is 0. Returns `buffer`. */
char *line_format(const struct line_place *places, size_t count, char buffer[LINE_TEXT]);

/*
 * A line for each function that is inlined there, "     space_walk (paging/walk.c:77), inlined in", then one with
 * `label`, the function's name for `va` with an offset, and its line. `at`: `va`, or for a return address the byte before.
 * Returns how many lines; nothing is printed, and 0 returned, when they are more than `most`.
 */
size_t line_print_place(print_fn *print, const char *label, vaddr_t va, vaddr_t at, size_t most);

/* Bytes of the table of names and of the table of lines. */
void line_print_sizes(print_fn *print);
