/*
 * kernel/lib/string.c twice, beside the C library's functions of the same names: as the loader has it, and as the
 * kernel has it, without SSE.
 */
#pragma once

#include <stddef.h>

struct string_functions {
	const char *name;
	void *(*copy)(void *restrict to, const void *restrict from, size_t bytes);
	void *(*move)(void *to, const void *from, size_t bytes);
	void *(*fill)(void *to, int value, size_t bytes);
	int (*compare)(const void *a, const void *b, size_t bytes);
	size_t (*length)(const char *s);
	size_t (*length_most)(const char *s, size_t most);
	size_t (*length_without)(const char *s, const char *reject);
	int (*compare_strings)(const char *a, const char *b);
	int (*compare_strings_most)(const char *a, const char *b, size_t most);
	char *(*find)(const char *s, int c);
};

extern const struct string_functions string_of_loader;
extern const struct string_functions string_of_kernel;
