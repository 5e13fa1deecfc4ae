/*
 * Text that somebody else chose, as text: a control character, and what is no UTF-8, is shown by its number and moves
 * nothing on a terminal.
 */
#pragma once

#include <stddef.h>

#define PRINTABLE_MOST 4 /* bytes that one step writes */

/*
 * Take the next character of text[0, size), size > 0, and write how it is shown: itself, or one byte of it as \xNN when it
 * is a control (C0 but for the tab, DEL, C1) or part of no well-formed character. What was shown is shown unchanged again.
 * Returns the bytes written; *ret_taken are the bytes taken, at least 1.
 */
size_t printable_next(const char *text, size_t size, char ret[PRINTABLE_MOST], size_t *ret_taken);
