/*
 * Text that the kernel generates, as for a file in /proc: a block in the heap that grows up to TEXT_MAX bytes.
 */
#pragma once

#include <stdarg.h>

#include "paging/types.h"

#define TEXT_MAX (8U << 20) /* enough for /proc/PID/maps of a process with as many areas as it can have */

/* A text; an empty one is all zeros. Guard: the function that generates it; fixed when that has returned. */
struct text {
	char *bytes; /* a block of the heap; no NUL at the end */
	size_t size;
	size_t room; /* size of `bytes` */
	bool lost;   /* there was no memory, or TEXT_MAX was reached: the text is incomplete, and stays as it is */
};

__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_add_v(struct text *text, const char *format, va_list args);
void text_add_bytes(struct text *text, const void *bytes, size_t size);

/* Add blanks until the text behind byte `start` has `size` bytes, and then one more blank. */
void text_pad(struct text *text, size_t start, size_t size);

/* Make room for `more` bytes now, so that adding them later allocates nothing. Sets `lost` if that fails. */
void text_reserve(struct text *text, size_t more);

/* Free the text's block; the text is empty again. */
void text_free(struct text *text);
