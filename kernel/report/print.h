/*
 * Where a report goes: printers take the function that says their text, so that one printer serves the boot
 * log, the monitor, the panic page and the host tests.
 */
#pragma once

#include <stddef.h>

/* Says formatted text as it comes; a line ends with '\n'. say() of kernel/lib/log.h is one. */
typedef void print_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Into the log at LOG_INFO. */
print_fn print_log;

#define PRINT_COLUMNS 96

/* The words of `text` behind `prefix`, in lines of at most PRINT_COLUMNS; further lines are indented by two. */
void print_wrapped(print_fn *print, const char *prefix, const char *text);
