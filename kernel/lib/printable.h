/*
 * Makes text that a program or a user chose harmless for a terminal: a control character, and a byte that is not UTF-8,
 * is shown by its number, so that it moves nothing.
 */
#pragma once

#include <stddef.h>

#define PRINTABLE_MOST 4 /* the most bytes that printable_next() writes */

/*
 * Take the next character of text[0, size), size > 0, and write how it is shown: the character itself, or one byte as
 * \xNN for a control (C0 but for the tab, DEL, C1) or a byte of no well-formed character. Text that has been made
 * harmless once is not changed when it is shown again.
 * Returns the bytes written; *ret_taken are the bytes taken, at least 1.
 */
size_t printable_next(const char *text, size_t size, char ret[PRINTABLE_MOST], size_t *ret_taken);
