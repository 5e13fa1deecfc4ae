/*
 * What the parts of the console share: text_console.c, characters and controls; text_sequence.c, escape sequences;
 * text_mode.c, modes. All places stay inside the screen.
 */
#pragma once

#include "kernel/dev/text_console.h"

/* Return an erased cell: a space in the colours that the stream's text has now. */
cell_t text_blank(const struct text_console *console, const struct text_stream *stream);

/* Move the cursor to `column` and `row`, or to the nearest place on the screen. */
void text_move_to(struct text_console *console, uint32_t column, uint32_t row);

/*
 * Move the cursor to a place that a program names. In the mode TEXT_ORIGIN, `row` counts from the start of the
 * scrolling region, and the cursor stays inside that region.
 */
void text_go_to(struct text_console *console, const struct text_stream *stream, uint32_t column, uint32_t row);

/* Move the cursor one row down, or one row up; at the edge of the scrolling region, scroll instead. */
void text_index(struct text_console *console, const struct text_stream *stream);
void text_reverse_index(struct text_console *console, const struct text_stream *stream);

/* Show a character, with wrapping and insertion as the modes say. */
void text_show(struct text_console *console, struct text_stream *stream, uint32_t code_point);

/* Move the cursor to the `count`-th tab stop after, or before, its place. */
void text_tab(struct text_console *console, uint32_t count);
void text_tab_back(struct text_console *console, uint32_t count);

/*
 * text_tab_set: set or clear the tab stop in the cursor's column. text_tabs_clear: clear all tab stops.
 * text_tabs_reset: set a tab stop every 8 columns.
 */
void text_tab_set(struct text_console *console, bool stop);
void text_tabs_clear(struct text_console *console);
void text_tabs_reset(struct text_console *console);

/* Put the stream's modes, colours, character sets and scrolling region back to their initial state. */
void text_reset(struct text_console *console, struct text_stream *stream);

/*
 * Save or restore the cursor's place and the style (DECSC, DECRC). Restoring leaves TEXT_INSERT and TEXT_NEWLINE as
 * they are. Restoring when nothing was saved sets the initial state: cursor at the top left, and everything as
 * text_reset() leaves it.
 */
void text_save(struct text_console *console, struct text_stream *stream);
void text_restore(struct text_console *console, struct text_stream *stream);

/*
 * Execute DECSTBM (text_set_region); SM, RM, DECSET or DECRST (text_change_modes); DECSTR (text_soft_reset); RIS
 * (text_full_reset); DECALN (text_alignment).
 */
void text_set_region(struct text_console *console, struct text_stream *stream);
void text_change_modes(struct text_console *console, struct text_stream *stream);
void text_soft_reset(struct text_console *console, struct text_stream *stream);
void text_full_reset(struct text_console *console, struct text_stream *stream);
void text_alignment(struct text_console *console, struct text_stream *stream);

/* Do what the parser's event VT_ESCAPE, or VT_SEQUENCE, says. */
void text_run_escape(struct text_console *console, struct text_stream *stream);
void text_run_sequence(struct text_console *console, struct text_stream *stream);
