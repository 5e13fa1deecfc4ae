/*
 * The project's one printf: loader, kernel and host tests format with it.
 * Conversions: %d %i %u %x %X %o with hh h l ll z t; %c %s %p %%; flags - 0 # + space, width and precision, `*` too.
 * No floating point, no %n.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Format as vsnprintf(3) does: write at most `size` bytes with the ending NUL (none when size is 0) and return the
 * length that the whole text has. Cannot fail: an unknown conversion is copied as it stands.
 */
__attribute__((format(printf, 3, 0))) size_t format_v(char *buffer, size_t size, const char *format, va_list args);
/*
 * Format as format_v() does, for text that goes to consoles: text inserted by %s and %c is shown as printable.h says,
 * so that no program's name and no path can control a terminal or begin a line. A precision counts the bytes read, a
 * width the bytes written.
 */
__attribute__((format(printf, 3, 0))) size_t format_quoted_v(char *buffer, size_t size, const char *format,
							     va_list args);
__attribute__((format(printf, 3, 4))) size_t format_s(char *buffer, size_t size, const char *format, ...);

/* Format a number of bytes for people, exact when possible: "640 KiB", "3.9 GiB". Returns `buffer`. */
char *format_size(char buffer[16], unsigned long long bytes);

#define FORMAT_ROOM 24 /* bytes that format_decimal() and format_hex() may write to */

/*
 * Write a number in decimal at `at`, or in hexadecimal with zeros in front up to `least` digits, at most 16. Return the
 * address just after the number. There must be room for FORMAT_ROOM bytes: all of them may be written to. Both
 * functions cost a fraction of what format_s() costs, and are meant for texts with very many lines.
 */
char *format_decimal(char *at, uint64_t number);
char *format_hex(char *at, uint64_t number, unsigned least);
