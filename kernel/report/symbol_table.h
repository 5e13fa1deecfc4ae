/*
 * The compact table of function names that scripts/mksymbols makes and describes.
 * Every read is checked against the table's size: a broken table gives wrong answers or none, never an access outside.
 */
#pragma once

#include "paging/types.h"

struct symbol_table {
	const uint8_t *bytes;
	size_t size; /* 0: the table has no names */
};

/* Room for a function's name, with the NUL. A longer name is cut. */
#define SYMBOL_NAME 64

/*
 * Find the function that holds the byte at `offset` from the start of the text: the last symbol at or before it.
 * name: gets the function's name, cut to fit and NUL-terminated; size is at least 1.
 * *ret_offset: bytes from the function's start.
 * Returns ERR_NOT_FOUND (an offset before the first symbol or after the text's end, or a broken table); *ret_offset is
 * then untouched and `name` undefined.
 */
MUST_CHECK enum status symbol_table_find(const struct symbol_table *table, uint64_t offset, char *name, size_t size,
					 uint64_t *ret_offset);
