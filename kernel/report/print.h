/*
 * Where a report goes: a printer takes a function that says its text, so that one printer serves the boot log, the
 * monitor, the panic page and the host tests.
 */
#pragma once

#include <stddef.h>

/* Say formatted text, in pieces of any length; a line ends with '\n'. say() of kernel/lib/log.h is such a function. */
typedef void print_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say the text in the log, at LOG_INFO. */
print_fn print_log;

#define PRINT_COLUMNS 96

/* Print `prefix` and the words of `text`, in lines of at most PRINT_COLUMNS; further lines are indented by two. */
void print_wrapped(print_fn *print, const char *prefix, const char *text);
