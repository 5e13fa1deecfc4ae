/*
 * Writes the numbered lines of a report and their checksum; see report_block.h.
 */
#include "kernel/report/report_block.h"

#include <stdarg.h>

#include "kernel/lib/format.h"

#define TEXT_COLUMNS 72 /* columns of a piece of text, which leave room for the line's number and the text's name */

/* Continue a CRC-32 (IEEE 802.3, reversed) bit by bit: a lookup table is not worth it for a few kilobytes. */
static uint32_t crc32(uint32_t crc, const char *text, size_t size)
{
	crc = ~crc;
	for (size_t i = 0; i < size; i++) {
		crc ^= (uint8_t)text[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

void report_block_line(struct report_block *b, const char *format, ...)
{
	char line[REPORT_BLOCK_COLUMNS + 1];
	size_t length = format_s(line, sizeof(line), "hw %u ", ++b->lines);
	va_list args;

	va_start(args, format);
	length += format_quoted_v(line + length, sizeof(line) - length, format, args);
	va_end(args);
	if (length > REPORT_BLOCK_COLUMNS)
		length = REPORT_BLOCK_COLUMNS;
	b->print("%s\n", line);
	b->crc = crc32(b->crc, line, length);
	b->crc = crc32(b->crc, "\n", 1);
}

void report_block_begin(struct report_block *b, print_fn *print, const char *title)
{
	*b = (struct report_block){ .print = print };
	report_block_line(b, "BEGIN %s", title);
}

void report_block_text(struct report_block *b, const char *name, const char *text, size_t size)
{
	size_t at = 0;

	do {
		char piece[TEXT_COLUMNS + 5];
		size_t length = 0;

		for (; at < size && length < TEXT_COLUMNS; at++) {
			unsigned char c = (unsigned char)text[at];
			bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';

			length += format_s(piece + length, sizeof(piece) - length, plain ? "%c" : "\\x%02x", c);
		}
		piece[length] = '\0';
		report_block_line(b, "%s \"%s\"", name, piece);
	} while (at < size);
}

void report_block_end(struct report_block *b)
{
	report_block_line(b, "END crc32=%08x", b->crc);
}
