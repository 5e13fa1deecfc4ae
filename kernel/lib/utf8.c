/*
 * Decodes and encodes UTF-8, by the rules of well-formed byte sequences.
 */
#include "kernel/lib/utf8.h"

/*
 * Take a first byte, 0xc2-0xf4. The range of the second byte is narrowed to exclude overlong forms, surrogates, and
 * code points above U+10FFFF.
 */
static void start(struct utf8 *utf8, uint8_t byte)
{
	utf8->low = 0x80;
	utf8->high = 0xbf;
	if (byte < 0xe0) {
		utf8->missing = 1;
		utf8->code_point = byte & 0x1f;
	} else if (byte < 0xf0) {
		utf8->missing = 2;
		utf8->code_point = byte & 0x0f;
		if (byte == 0xe0)
			utf8->low = 0xa0;
		else if (byte == 0xed)
			utf8->high = 0x9f;
	} else {
		utf8->missing = 3;
		utf8->code_point = byte & 0x07;
		if (byte == 0xf0)
			utf8->low = 0x90;
		else if (byte == 0xf4)
			utf8->high = 0x8f;
	}
}

enum utf8_result utf8_feed(struct utf8 *utf8, uint8_t byte, uint32_t *ret_code_point)
{
	if (utf8->missing != 0) {
		if (byte < utf8->low || byte > utf8->high) {
			utf8->missing = 0;
			*ret_code_point = UTF8_REPLACEMENT;
			return UTF8_BAD_BUT;
		}
		utf8->low = 0x80;
		utf8->high = 0xbf;
		utf8->code_point = utf8->code_point << 6 | (byte & 0x3f);
		if (--utf8->missing != 0)
			return UTF8_MORE;
		*ret_code_point = utf8->code_point;
		return UTF8_DONE;
	}
	if (byte < 0x80) {
		*ret_code_point = byte;
		return UTF8_DONE;
	}
	if (byte < 0xc2 || byte > 0xf4) {
		*ret_code_point = UTF8_REPLACEMENT;
		return UTF8_BAD;
	}
	start(utf8, byte);
	return UTF8_MORE;
}

size_t utf8_put(char *to, uint32_t code_point)
{
	const uint32_t c = code_point;

	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 63));
		to[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 63));
	to[2] = (char)(0x80 | (c >> 6 & 63));
	to[3] = (char)(0x80 | (c & 63));
	return 4;
}
