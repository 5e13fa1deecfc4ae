/*
 * Decodes UTF-8 to code points, a byte at a time, and encodes them (Unicode, "UTF-8", table of well-formed byte
 * sequences).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffd

/* The decoder's state. All zero: between two characters. */
struct utf8 {
	uint32_t code_point; /* bits gathered so far */
	uint8_t missing;     /* bytes still to come */
	uint8_t low, high;   /* the range that the next byte must lie in */
};

enum utf8_result {
	UTF8_MORE,    /* the byte belongs to a character that is not complete */
	UTF8_DONE,    /* *ret_code_point is the next character */
	UTF8_BAD,     /* the byte belongs to no character: *ret_code_point is U+FFFD */
	UTF8_BAD_BUT, /* the previous character was cut short: *ret_code_point is U+FFFD; feed the same byte again */
};

/* Take the next byte. Overlong forms, surrogates and code points above U+10FFFF are bad. */
enum utf8_result utf8_feed(struct utf8 *utf8, uint8_t byte, uint32_t *ret_code_point);

#define UTF8_MOST 4 /* bytes of one character */

/*
 * Write a code point of at most U+10FFFF to `to`, which has room for UTF8_MOST bytes. Returns how many bytes it took.
 */
size_t utf8_put(char *to, uint32_t code_point);
