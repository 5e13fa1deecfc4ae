/*
 * Describes an exception's error code, an address, and a value in a register in words.
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
 * Return the name of the range that `va` lies in if only the kernel context (the kernel's own page tables) maps that
 * range: the direct map or the MMIO window. Returns NULL for all other addresses.
 */
const char *kernel_context_text(vaddr_t va);

/*
 * Describe a value with which the debug build's heap fills memory: freed, not yet written, or a red zone behind a
 * block. Returns NULL for all other values.
 */
const char *value_text(uint64_t value);
