/*
 * Makes text that a program or a user chose harmless for a terminal: a control character, or a byte that is not UTF-8,
 * is shown as its number, so that the terminal does not act on it.
 */
#pragma once

#include <stddef.h>

#define PRINTABLE_MOST 4 /* the most bytes that printable_next() writes */

/*
 * Take the next character of text[0, size), size > 0, and write how it is shown. A control character (C0 except the
 * tab, DEL, C1), or a byte that belongs to no well-formed character, is shown as \xNN, any other character as itself.
 * Text that is passed through this function twice is the same as after the first time.
 * Returns the bytes written; *ret_taken are the bytes taken, at least 1.
 */
size_t printable_next(const char *text, size_t size, char ret[PRINTABLE_MOST], size_t *ret_taken);
