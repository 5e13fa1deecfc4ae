/*
 * Keeps printed text. Formats with the project's own printf, as the kernel will.
 */
#include "test/host/printed.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/format.h"

char printed[16384];

void printed_clear(void)
{
	printed[0] = '\0';
}

void printed_keep(const char *format, ...)
{
	size_t length = strlen(printed);
	va_list args;

	va_start(args, format);
	if (format_v(printed + length, sizeof(printed) - length, format, args) >= sizeof(printed) - length)
		abort();
	va_end(args);
}
