/*
 * A line of input, typed on a terminal: editing, history and echo, a byte at a time.
 *
 *   Left, Right, Home, End, Ctrl-A, Ctrl-E   move the cursor
 *   Backspace, Delete                        delete a character
 *   Ctrl-U, Ctrl-K                           delete all before the cursor, all from it on
 *   Up, Down                                 earlier and later lines
 *   Ctrl-L                                   clear the screen
 *   Enter (CR, LF or CR LF)                  the line is complete
 *   Ctrl-C                                   the line is given up
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SIZE    128 /* bytes of a line, with the NUL */
#define LINE_HISTORY 8
#define LINE_PROMPT  16 /* length of the longest prompt that is shown whole */

/* How much of the line is shown at once: with the prompt no more than 80 columns, so that the terminal never wraps. */
#define LINE_SHOWN 63

enum line_event {
	LINE_EDITING,
	LINE_READY,     /* `line` is complete; the cursor is on a new row of the terminal */
	LINE_CANCELLED, /* the line was given up; the cursor is on a new row of the terminal */
};

enum line_state {
	LINE_PLAIN,
	LINE_ESCAPE,   /* after ESC */
	LINE_SEQUENCE, /* after ESC [ or ESC O */
};

/* A line that is being typed. Guard: the monitor. */
struct line_editor {
	/* Set by the caller before the first call: */
	const char *prompt;
	void (*write)(const char *text, size_t size); /* writes the echo, with ECMA-48 sequences in it */

	/* Changed by the editor alone; the caller sets all of it to zero at first: */
	char line[LINE_SIZE];  /* what has been typed, NUL-terminated */
	size_t length, cursor; /* in bytes; cursor <= length */
	size_t first;          /* index in `line` where the part that is shown starts */
	enum line_state state;
	uint8_t parameter; /* the number in the escape sequence that is being received */
	bool after_return; /* the last byte was CR: an LF that follows is a part of the same line end */

	char history[LINE_HISTORY][LINE_SIZE]; /* a ring of earlier lines */
	size_t lines;                          /* how many lines ever went into the ring */
	size_t back;                           /* how many lines up the user has gone; 0: at the line being typed */
	char draft[LINE_SIZE];                 /* the line being typed, while an earlier one is shown */
};

/* Start an empty line: show the prompt. */
void line_begin(struct line_editor *editor);

/*
 * Take the next byte of input. Only printable ASCII goes into the line, and bytes that do not fit are dropped. After
 * LINE_READY or LINE_CANCELLED call line_begin() before the next byte; until then the caller may change `line`.
 */
enum line_event line_feed(struct line_editor *editor, uint8_t byte);
