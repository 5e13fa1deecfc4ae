/*
 * The names of the kernel's own functions, from the table in the kernel's image.
 */
#pragma once

#include "kernel/report/symbol_table.h"

/* Room for symbol_format's longest text: a name, '+' and an offset. */
#define SYMBOL_TEXT (SYMBOL_NAME + 19)

/* Find the function that holds the instruction at `va`, as symbol_table_find does. */
MUST_CHECK enum status symbol_find(vaddr_t va, char *name, size_t size, uint64_t *ret_offset);

/* Write the place of `va`: "frame_alloc+0x12", or "?" for an address outside the kernel's text. Returns `buffer`. */
char *symbol_format(vaddr_t va, char buffer[SYMBOL_TEXT]);

/*
 * Write the place of a return address. The call may have been its function's last instruction, and then the address is
 * already the next function's: the byte before counts.
 */
char *symbol_format_return(vaddr_t va, char buffer[SYMBOL_TEXT]);

/* Return the size of the table of names, in bytes. */
size_t symbol_bytes(void);
