/*
 * What a character is worth as a digit: for all that reads numbers.
 */
#pragma once

#define DIGIT_NONE 99 /* no digit in any base */

/* 0 to 15, letters of either case from 10 on; DIGIT_NONE for anything else. */
static inline unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return DIGIT_NONE;
}
