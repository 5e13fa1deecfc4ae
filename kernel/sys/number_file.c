/*
 * Parses the numbers that are written to files of /proc/sys.
 */
#include "kernel/sys/number_file.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/digit.h"

int number_file_take(const char *bytes, size_t size, uint64_t most, uint64_t *ret)
{
	uint64_t number = 0;
	size_t i = 0;

	for (; i < size && digit_value(bytes[i]) < 10; i++) {
		const uint64_t digit = digit_value(bytes[i]);

		if (digit > most || number > (most - digit) / 10)
			return -EINVAL;
		number = number * 10 + digit;
	}
	if (!i || (i < size && bytes[i] != '\n' && bytes[i] != ' ' && bytes[i] != '\t'))
		return -EINVAL;
	*ret = number;
	return 0;
}

int number_file_take_from(const char *bytes, size_t size, uint64_t least, uint64_t most, uint64_t *ret)
{
	uint64_t number;
	int error = number_file_take(bytes, size, most, &number);

	if (!error && number < least)
		error = -EINVAL;
	if (!error)
		*ret = number;
	return error;
}
