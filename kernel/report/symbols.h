/*
 * The names of the kernel's own functions, from the table in the kernel's image.
 */
#pragma once

#include "kernel/report/symbol_table.h"

/* Room for symbol_format's longest text: a name, '+' and an offset. */
#define SYMBOL_TEXT (SYMBOL_NAME + 19)

/* Find the function that holds the instruction at `va`, as symbol_table_find does. */
MUST_CHECK enum status symbol_find(vaddr_t va, char *name, size_t size, uint64_t *ret_offset);

/* Write `va` as "frame_alloc+0x12", or as "?" when it is outside the kernel's text. Returns `buffer`. */
char *symbol_format(vaddr_t va, char buffer[SYMBOL_TEXT]);

/*
 * Write a return address as symbol_format() does, but name the function that holds the byte before it: when a CALL is
 * the last instruction of its function, the return address is already the start of the next function.
 */
char *symbol_format_return(vaddr_t va, char buffer[SYMBOL_TEXT]);

/* Return the size of the table of names, in bytes. */
size_t symbol_bytes(void);
