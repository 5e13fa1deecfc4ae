/*
 * A report for a program to read, out of a log with other text around it: every line begins with "hw" and its number, the
 * last one has the CRC-32 of all before it. So a line that is missing, or was typed wrong, is found.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/types.h"

#define REPORT_BLOCK_COLUMNS 100 /* of the longest line */

struct report_block {
	print_fn *print;
	unsigned lines;
	uint32_t crc; /* of the lines so far, each with its '\n'; as zlib's crc32() of it */
};

/* Say the first line: "hw 1 BEGIN ", and the report's title. */
void report_block_begin(struct report_block *b, print_fn *print, const char *title);

/* Say one more line; without '\n'. What is longer than the columns is cut, in front of the CRC. */
__attribute__((format(printf, 2, 3))) void report_block_line(struct report_block *b, const char *format, ...);

/* Text of any bytes as "name "text"" lines, as many as it takes: outside printable ASCII, and " and \, as \xNN. */
void report_block_text(struct report_block *b, const char *name, const char *text, size_t size);

/* Say the last line: "hw N END crc32=", and eight digits. */
void report_block_end(struct report_block *b);
