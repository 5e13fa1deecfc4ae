/*
 * Text that the kernel generates, as for a file in /proc: a block in the heap that grows up to TEXT_MAX bytes.
 */
#pragma once

#include <stdarg.h>

#include "kernel/lib/likely.h"
#include "paging/types.h"

#define TEXT_MAX (8U << 20) /* enough for /proc/PID/maps of a process with as many areas as it can have */

/* A text; an empty one is all zeros. Guard: the function that generates it; fixed when that has returned. */
struct text {
	char *bytes; /* a block of the heap; no NUL at the end */
	size_t size;
	size_t room; /* size of the block `bytes`; with `lost` the same as `size`: nothing can be added */
	bool lost;   /* there was no memory, or TEXT_MAX was reached: the text is incomplete, and stays as it is */
};

__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_add_v(struct text *text, const char *format, va_list args);
void text_add_bytes(struct text *text, const void *bytes, size_t size);

/*
 * text_room() returns where up to `most` bytes, not 0, can be written behind the text; the caller writes them and then
 * calls text_end() with the address of the byte behind the last one. NULL, with `lost` set: there is no room. For texts
 * of very many lines, since this is cheaper than text_add(). text_room_slow() is for text_room() only.
 */
char *text_room_slow(struct text *text, size_t most);
static inline char *text_room(struct text *text, size_t most)
{
	return likely(text->room - text->size >= most) ? text->bytes + text->size : text_room_slow(text, most);
}

static inline void text_end(struct text *text, const char *end)
{
	text->size = (size_t)(end - text->bytes);
}

/*
 * The functions text_add_char() to text_add_hex() add what text_add() would with "%c", "%s", "%llu", "%*llu" or
 * "%0*llx", at a fraction of its cost.
 */
void text_add_char(struct text *text, char c);
static inline void text_add_string(struct text *text, const char *string)
{
	/* The compiler knows the length of most of these strings. */
	text_add_bytes(text, string, __builtin_strlen(string));
}
void text_add_number(struct text *text, uint64_t number);
/* Add words, a number and a newline. */
void text_add_line(struct text *text, const char *words, uint64_t number);
void text_add_number_right(struct text *text, uint64_t number, unsigned width); /* width: at most FORMAT_ROOM */
void text_add_hex(struct text *text, uint64_t number, unsigned digits);         /* digits: at most 16 */

/* Add blanks until the text behind byte `start` has `size` bytes, and then one more blank. */
void text_pad(struct text *text, size_t start, size_t size);

/* Make room for `more` bytes now, so that adding them later allocates nothing. Sets `lost` if that fails. */
void text_reserve(struct text *text, size_t more);

/* Free the text's block; the text is empty again. */
void text_free(struct text *text);
