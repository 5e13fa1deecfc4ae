/*
 * Writes reports into the boot log, and breaks long text into lines.
 */
#include "kernel/report/print.h"

#include <stdarg.h>

#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

void print_log(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	format_quoted_v(text, sizeof(text), format, args);
	va_end(args);
	log_formatted(LOG_INFO, text, strlen(text));
}

void print_wrapped(print_fn *print, const char *prefix, const char *text)
{
	size_t column = strlen(prefix);

	print("%s", prefix);
	while (*text) {
		const char *blank = strchr(text, ' ');
		size_t length = blank ? (size_t)(blank - text) : strlen(text);

		if (column + 1 + length > PRINT_COLUMNS) {
			print("\n ");
			column = 1;
		}
		print(" %.*s", (int)length, text);
		column += 1 + length;
		text += length + (blank ? 1 : 0);
	}
	print("\n");
}
