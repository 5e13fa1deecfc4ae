/*
 * What the parts of the console share: text_console.c, characters and controls; text_sequence.c, what the sequences say;
 * text_mode.c, modes.
 * All places stay inside the screen.
 */
#pragma once

#include "kernel/dev/text_console.h"

/* The cell that erasing leaves. */
cell_t text_blank(const struct text_console *console, const struct text_stream *stream);

/* Move to that place of the screen, or as near as there is. */
void text_move_to(struct text_console *console, uint32_t column, uint32_t row);

/* The same as programs count: from the region that scrolls if the mode says so, and then not out of it. */
void text_go_to(struct text_console *console, const struct text_stream *stream, uint32_t column, uint32_t row);

/* One row down or up; at the end of the region that scrolls, it scrolls. */
void text_index(struct text_console *console, const struct text_stream *stream);
void text_reverse_index(struct text_console *console, const struct text_stream *stream);

/* Show a character, with wrapping and insertion as the modes say. */
void text_show(struct text_console *console, struct text_stream *stream, uint32_t code_point);

/* Forward to the next of `count` tab stops, or back. */
void text_tab(struct text_console *console, uint32_t count);
void text_tab_back(struct text_console *console, uint32_t count);

/* A tab stop in the cursor's column, or none; none at all; one every 8 columns. */
void text_tab_set(struct text_console *console, bool stop);
void text_tabs_clear(struct text_console *console);
void text_tabs_reset(struct text_console *console);

/* Modes, colours, sets and margins as they are at the beginning; text and place stay. */
void text_reset(struct text_console *console, struct text_stream *stream);

/* Place and style (DECSC, DECRC). What was never saved is the beginning: home, and everything as it was then. */
void text_save(struct text_console *console, struct text_stream *stream);
void text_restore(struct text_console *console, struct text_stream *stream);

/* DECSTBM; SM, RM and their private kin; DECSTR; RIS; DECALN. */
void text_set_region(struct text_console *console, struct text_stream *stream);
void text_change_modes(struct text_console *console, struct text_stream *stream);
void text_soft_reset(struct text_console *console, struct text_stream *stream);
void text_full_reset(struct text_console *console, struct text_stream *stream);
void text_alignment(struct text_console *console, struct text_stream *stream);

/* VT_ESCAPE and VT_SEQUENCE. */
void text_run_escape(struct text_console *console, struct text_stream *stream);
void text_run_sequence(struct text_console *console, struct text_stream *stream);
