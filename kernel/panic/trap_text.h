/*
 * Words for an exception's error code, for an address, and for a value in a register.
 */
#pragma once

#include "paging/types.h"

/* Room for trap_text's text. */
#define TRAP_TEXT 80

/*
 * Describe an exception's error code: "write to a page that is not present, by the kernel", …; "" when the code says
 * nothing.
 */
char *trap_text(uint64_t vector, uint64_t error, char buffer[TRAP_TEXT]);

/* Return the memory map's name for the range of `va`; "a null pointer" for the first page. */
const char *address_text(vaddr_t va);

/*
 * Return the name of the range that `va` lies in when only the kernel context has it: the direct map, the MMIO window.
 * NULL for all others.
 */
const char *kernel_context_text(vaddr_t va);

/*
 * Describe a value that is the filling of the debug build's heap: freed memory, memory that nobody has written, or a
 * red zone. Returns NULL for all other values.
 */
const char *value_text(uint64_t value);
