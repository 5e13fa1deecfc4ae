/*
 * The compact table of source lines and inline frames that scripts/mklines makes; the form is described there.
 * Reads bytes that it does not believe: a broken table gives wrong answers or none, never a stray access.
 */
#pragma once

#include "paging/types.h"

struct line_table {
	const uint8_t *bytes;
	size_t size; /* 0: a table that knows no line */
};

#define LINE_DEPTH 16 /* places of one address: inlined functions, and the one that they are inlined in */
#define LINE_NAME  64 /* a longer path or name is cut */

/* A line of a function that is in effect at an address. */
struct line_place {
	uint64_t function; /* line_table_name's number; of the last place LINE_OUTERMOST: symbols tell its name */
	uint64_t file;     /* line_table_file's number */
	uint32_t line;
};

#define LINE_OUTERMOST UINT64_MAX

/*
 * What the byte at `offset` from the start of the text was compiled from: innermost first, each but the last inlined at
 * the next one's line. Returns how many places; 0: the table does not know.
 */
size_t line_table_find(const struct line_table *table, uint64_t offset, struct line_place places[LINE_DEPTH]);

/* The inlined function's name, the file's path; "?" for a number that the table has not. Return the buffer. */
char *line_table_name(const struct line_table *table, uint64_t function, char name[LINE_NAME]);
char *line_table_file(const struct line_table *table, uint64_t file, char path[LINE_NAME]);
