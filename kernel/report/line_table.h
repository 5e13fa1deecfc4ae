/*
 * The compact table of source lines and inline frames that scripts/mklines makes and describes. Every read is checked
 * against the table's size: a broken table gives wrong answers or none, never an access outside of it.
 */
#pragma once

#include "paging/types.h"

struct line_table {
	const uint8_t *bytes;
	size_t size; /* 0: the table has no lines */
};

/* Most places of one address: functions inlined into one another, and the function that contains them all. */
#define LINE_DEPTH 16
#define LINE_NAME  64 /* a longer path or name is cut */

/* A function, and its source line that the code at an address was compiled from. */
struct line_place {
	/* number to pass to line_table_name; LINE_OUTERMOST in the last place, whose name symbol_find() tells */
	uint64_t function;
	uint64_t file; /* number to pass to line_table_file */
	uint32_t line;
};

#define LINE_OUTERMOST UINT64_MAX

/*
 * Find what the byte at `offset` from the start of the text was compiled from: the innermost function first; each one
 * but the last is inlined at the line of the place that follows. Returns how many places; 0: the table does not know.
 */
size_t line_table_find(const struct line_table *table, uint64_t offset, struct line_place places[LINE_DEPTH]);

/*
 * Return the inlined function's name, or the file's path, in the buffer; "?" for a number that the table does not have.
 */
char *line_table_name(const struct line_table *table, uint64_t function, char name[LINE_NAME]);
char *line_table_file(const struct line_table *table, uint64_t file, char path[LINE_NAME]);
