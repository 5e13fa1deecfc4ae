/*
 * Decides which bytes a terminal would show as a character, and which it would obey as a control. Keeps no state
 * between calls: when text is cut in the middle of a character, that character's bytes are shown by their numbers.
 */
#include "kernel/lib/printable.h"

#include <stdbool.h>

#include "kernel/lib/utf8.h"

#define DEL    0x7f
#define C1_END 0xa0

/* Return the size of the well-formed character at the beginning of text[0, size); 0: none is there. */
static size_t character_size(const char *text, size_t size, uint32_t *ret_code_point)
{
	struct utf8 utf8 = { 0 };

	for (size_t i = 0; i < size; i++)
		switch (utf8_feed(&utf8, (uint8_t)text[i], ret_code_point)) {
		case UTF8_MORE:
			break;
		case UTF8_DONE:
			return i + 1;
		case UTF8_BAD:
		case UTF8_BAD_BUT:
			return 0;
		}
	return 0;
}

static bool is_order(uint32_t code_point)
{
	return (code_point < ' ' && code_point != '\t') || (code_point >= DEL && code_point < C1_END);
}

size_t printable_next(const char *text, size_t size, char ret[PRINTABLE_MOST], size_t *ret_taken)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t byte = (uint8_t)text[0];
	uint32_t code_point;
	size_t length = character_size(text, size, &code_point);

	if (length && !is_order(code_point)) {
		for (size_t i = 0; i < length; i++)
			ret[i] = text[i];
		*ret_taken = length;
		return length;
	}
	ret[0] = '\\';
	ret[1] = 'x';
	ret[2] = digits[byte >> 4];
	ret[3] = digits[byte & 15];
	*ret_taken = 1;
	return PRINTABLE_MOST;
}
