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

/*
 * A freestanding compiler does not know what these functions do, unless they are called by their __builtin_ names. By
 * these names a copy of a constant size becomes a few instructions, and the length of a literal a number. A call whose
 * arguments are not constant remains a call.
 */
#if !defined(HOST_TEST)
#define memcpy(to, from, bytes)  __builtin_memcpy(to, from, bytes)
#define memmove(to, from, bytes) __builtin_memmove(to, from, bytes)
#define memset(to, value, bytes) __builtin_memset(to, value, bytes)
#define memcmp(a, b, bytes)      __builtin_memcmp(a, b, bytes)
#define strlen(s)                __builtin_strlen(s)
#endif
