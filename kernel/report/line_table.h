/*
 * The compact table of source lines and inline frames that scripts/mklines makes and describes. Does not believe the
 * bytes: a broken table gives wrong answers or none, never a stray access.
 */
#pragma once

#include "paging/types.h"

struct line_table {
	const uint8_t *bytes;
	size_t size; /* 0: a table that knows no line */
};

#define LINE_DEPTH 16 /* most places of one address: inlined functions, and the function that they are inlined in */
#define LINE_NAME  64 /* a longer path or name is cut */

/* A line of a function that is in effect at an address. */
struct line_place {
	/* number for line_table_name; LINE_OUTERMOST in the last place, whose name the symbols tell */
	uint64_t function;
	uint64_t file; /* number for line_table_file */
	uint32_t line;
};

#define LINE_OUTERMOST UINT64_MAX

/*
 * Find what the byte at `offset` from the start of the text was compiled from: the innermost place first, each but the
 * last inlined at the next one's line. Returns how many places; 0: the table does not know.
 */
size_t line_table_find(const struct line_table *table, uint64_t offset, struct line_place places[LINE_DEPTH]);

/*
 * Return the inlined function's name, or the file's path, in the buffer; "?" for a number that the table does not have.
 */
char *line_table_name(const struct line_table *table, uint64_t function, char name[LINE_NAME]);
char *line_table_file(const struct line_table *table, uint64_t file, char path[LINE_NAME]);
