/*
 * The names of the kernel's own functions, from the table in its image.
 */
#pragma once

#include "kernel/report/symbol_table.h"

/* Room for symbol_format's longest text: a name, '+' and an offset. */
#define SYMBOL_TEXT (SYMBOL_NAME + 19)

/* The function that holds the instruction at `va`; as symbol_table_find. */
MUST_CHECK enum status symbol_find(vaddr_t va, char *name, size_t size, uint64_t *ret_offset);

/* "frame_alloc+0x12", or "?" for an address outside the kernel's text. Returns `buffer`. */
char *symbol_format(vaddr_t va, char buffer[SYMBOL_TEXT]);

/*
 * The same for the address that a call pushed: the call may have been its function's last instruction, and the
 * address is then the next function's.
 */
char *symbol_format_return(vaddr_t va, char buffer[SYMBOL_TEXT]);

/* The size of the table of names. */
size_t symbol_bytes(void);
