/*
 * The value of a character as a digit, for every parser of numbers.
 */
#pragma once

#define DIGIT_NONE 99 /* what digit_value() returns for a character that is no digit: larger than any base */

/* Return 0 to 15, with letters of either case from 10 on; DIGIT_NONE for any other character. */
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
