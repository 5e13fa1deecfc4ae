/*
 * Text that is made as it is asked for: a block in the heap that grows up to TEXT_MAX bytes.
 */
#pragma once

#include <stdarg.h>

#include "paging/types.h"

#define TEXT_MAX (8U << 20) /* the maps of a process with all areas that it can have fit */

/* All zeros: empty. */
struct text {
	char *bytes; /* the heap's; no NUL at the end */
	size_t size;
	size_t room; /* that `bytes` has */
	bool lost;   /* no memory, or TEXT_MAX reached: not all is there. Nothing is added any more */
};

__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_add_v(struct text *text, const char *format, va_list args);
void text_add_bytes(struct text *text, const void *bytes, size_t size);

/* Blanks until `size` bytes are there behind byte `start`; then one more in any case. */
void text_pad(struct text *text, size_t start, size_t size);

/* Room for `more` bytes now, so that adding them needs no memory. Without: `lost`. */
void text_reserve(struct text *text, size_t more);

/* Give the block back: empty again. */
void text_free(struct text *text);
