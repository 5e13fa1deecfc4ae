/*
 * What an exception's error code, an address and a value in a register say, in words.
 */
#pragma once

#include "paging/types.h"

/* Room for trap_text's text. */
#define TRAP_TEXT 80

/* "write to a page that is not present, by the kernel", …; empty for an exception whose code says nothing. */
char *trap_text(uint64_t vector, uint64_t error, char buffer[TRAP_TEXT]);

/* The memory map's name for where `va` is; a null pointer is one up to the first page's end. */
const char *address_text(vaddr_t va);

/*
 * The name of the range that `va` lies in, when only the kernel context has it: the direct map or the MMIO window.
 * NULL for all others.
 */
const char *kernel_context_text(vaddr_t va);

/*
 * What a value is when it is no value: freed memory of the debug build's heap, memory that nobody has written, or a red
 * zone. NULL for all others.
 */
const char *value_text(uint64_t value);
