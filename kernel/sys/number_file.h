/*
 * Files of /proc/sys that hold one number, which a program may read and set.
 */
#pragma once

#include "kernel/fs/text_fs.h"

/*
 * Parse what is written to a file of /proc/sys: a number, which ends at a blank, '\n' or the end. Returns 0; or
 * -EINVAL, with *ret untouched: there is no number, or it is above `most`.
 */
int number_file_take(const char *bytes, size_t size, uint64_t most, uint64_t *ret);

/* Do number_file_take() for a number that must be at least `least`. */
int number_file_take_from(const char *bytes, size_t size, uint64_t least, uint64_t most, uint64_t *ret);

/* Define make_NAME and take_NAME for a file whose number is a variable with values from 0, or `least`, to `most`. */
#define NUMBER_FILE(name, variable, most) NUMBER_FILE_FROM(name, variable, 0, most)

#define NUMBER_FILE_FROM(name, variable, least, most)               \
	static int make_##name(struct node *node, struct text *ret) \
	{                                                           \
		(void)node;                                         \
		text_add_line(ret, "", (uint64_t)(variable));       \
		return 0;                                           \
	}                                                           \
	NUMBER_FILE_TAKE(name, variable, least, most)

/* Define make_NAME and take_NAME for a file whose number is a variable of type int, which is shown with its sign. */
#define NUMBER_FILE_SIGNED(name, variable)                          \
	static int make_##name(struct node *node, struct text *ret) \
	{                                                           \
		(void)node;                                         \
		text_add(ret, "%d\n", (variable));                  \
		return 0;                                           \
	}                                                           \
	NUMBER_FILE_TAKE(name, variable, 0, INT32_MAX)

#define NUMBER_FILE_TAKE(name, variable, least, most)                                     \
	static int take_##name(struct node *node, const char *bytes, size_t size)         \
	{                                                                                 \
		uint64_t number;                                                          \
		int error = number_file_take_from(bytes, size, (least), (most), &number); \
                                                                                          \
		(void)node;                                                               \
		if (!error)                                                               \
			(variable) = (__typeof__(variable))number;                        \
		return error;                                                             \
	}
