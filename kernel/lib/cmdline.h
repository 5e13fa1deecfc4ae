/*
 * The command line: `key=value` and flag words as on Linux; the words after "--" are arguments for init. Double quotes
 * keep spaces together. These functions only read the string; values are copied out of it, without their quotes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Return whether the command line has the word `key`, alone or with a value. */
bool cmdline_has(const char *cmdline, const char *key);

/*
 * Copy the value of the last `key=value` into `buffer` (cut to fit, always NUL-terminated).
 * Returns false, buffer unchanged, when there is no such word.
 */
bool cmdline_get(const char *cmdline, const char *key, char *buffer, size_t size);

/*
 * Copy the value of the next `key=value` from *at on, as cmdline_get() does, and move *at past that word: for keys that
 * may be given several times. Returns false, buffer unchanged, when there is no further such word.
 */
bool cmdline_next(const char **at, const char *key, char *buffer, size_t size);

/* Return whether one of the `key=value` words has this value, alone or before a comma (console=ttyS0,115200). */
bool cmdline_names(const char *cmdline, const char *key, const char *value);

/* Return the value of the last `key=value` as a number (decimal, 0x…); `otherwise` when absent or not a number. */
long cmdline_number(const char *cmdline, const char *key, long otherwise);

/* Return what follows "--" (after its spaces), or the end of the string. */
const char *cmdline_init_words(const char *cmdline);
