/*
 * The source lines of kernel code, from the table in the kernel's image.
 */
#pragma once

#include "kernel/report/line_table.h"
#include "kernel/report/print.h"

/* Room for line_format's longest text: " (", a path, ':', a number, ')'. */
#define LINE_TEXT (LINE_NAME + 16)

/* Find the functions and source lines that the instruction at `va` was compiled from, as line_table_find does. */
size_t line_find(vaddr_t va, struct line_place places[LINE_DEPTH]);

/* Write the first of `count` places as " (paging/walk.c:77)"; "" when `count` is 0. Returns `buffer`. */
char *line_format(const struct line_place *places, size_t count, char buffer[LINE_TEXT]);

/*
 * Print a line for each function that is inlined at `at`, "     space_walk (paging/walk.c:77), inlined in", then one
 * with `label`, the name of the function that holds `va`, the offset of `va` in it, and its source line. `at`: `va`
 * itself; for a return address `va` - 1, which is in the CALL.
 * Returns how many lines were printed; 0, with nothing printed, when they would be more than `most`.
 */
size_t line_print_place(print_fn *print, const char *label, vaddr_t va, vaddr_t at, size_t most);

/* Print the sizes of the table of function names and of the table of source lines. */
void line_print_sizes(print_fn *print);
