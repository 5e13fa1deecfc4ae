/*
 * The memory and string functions that a freestanding compiler may call, and the few more that AnkeOS uses, with the C
 * standard's meaning. Host tests use the C library's.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
size_t strcspn(const char *s, const char *reject); /* fast when `reject` is one byte */
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);
