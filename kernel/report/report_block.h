/*
 * A report that a program can find in a log with other text around it: every line begins with "hw" and its number, and
 * the last line has the CRC-32 of all lines before, so that a missing or mistyped line is noticed.
 */
#pragma once

#include "kernel/report/print.h"
#include "paging/types.h"

#define REPORT_BLOCK_COLUMNS 100 /* columns of the longest line */

struct report_block {
	print_fn *print;
	unsigned lines;
	uint32_t crc; /* CRC-32 of the lines so far, each with its '\n'; equal to zlib's crc32() of them */
};

/* Print the first line: "hw 1 BEGIN ", and the report's title. */
void report_block_begin(struct report_block *b, print_fn *print, const char *title);

/* Print one more line, given without '\n'. A line that is too long is cut; the CRC is of the cut line. */
__attribute__((format(printf, 2, 3))) void report_block_line(struct report_block *b, const char *format, ...);

/*
 * Print any bytes as lines of the form name "text", as many as needed. Bytes outside printable ASCII, and " and \, are
 * printed as \xNN.
 */
void report_block_text(struct report_block *b, const char *name, const char *text, size_t size);

/* Print the last line: "hw N END crc32=", and eight digits. */
void report_block_end(struct report_block *b);
