/*
 * Includes kernel/lib/string.c with its functions called STRING_NAME(memcpy) and so on, and lists them in
 * STRING_LIST. Not a header on its own: string_of_kernel.c and string_of_loader.c are this file with two settings.
 */
#pragma once

#ifdef STRING_NAME

#define memcpy  STRING_NAME(memcpy)
#define memmove STRING_NAME(memmove)
#define memset  STRING_NAME(memset)
#define memcmp  STRING_NAME(memcmp)
#define strlen  STRING_NAME(strlen)
#define strnlen STRING_NAME(strnlen)
#define strcspn STRING_NAME(strcspn)
#define strcmp  STRING_NAME(strcmp)
#define strncmp STRING_NAME(strncmp)
#define strchr  STRING_NAME(strchr)

#include "kernel/lib/string.c"
#include "test/host/string_functions.h"

const struct string_functions STRING_LIST = {
	.name = STRING_TITLE,
	.copy = memcpy,
	.move = memmove,
	.fill = memset,
	.compare = memcmp,
	.length = strlen,
	.length_most = strnlen,
	.length_without = strcspn,
	.compare_strings = strcmp,
	.compare_strings_most = strncmp,
	.find = strchr,
};

#endif
