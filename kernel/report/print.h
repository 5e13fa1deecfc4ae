/*
 * Where a report goes: each function that prints a report takes a function that outputs the text, so that the same
 * report can go to the boot log, the monitor (the kernel's own prompt), a panic or a host test.
 */
#pragma once

#include <stddef.h>

/* Output formatted text, in pieces of any length; '\n' ends a line. say() of kernel/lib/log.h is such a function. */
typedef void print_fn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write the text into the log, at LOG_INFO. */
print_fn print_log;

#define PRINT_COLUMNS 96

/* Print `prefix` and the words of `text`, in lines of at most PRINT_COLUMNS; further lines are indented by two. */
void print_wrapped(print_fn *print, const char *prefix, const char *text);
