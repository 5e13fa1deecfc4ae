/*
 * Modes of the terminal: saves and restores the cursor, sets which rows scroll and which page is shown, and resets all
 * of that.
 */
#include "kernel/dev/text_internal.h"

void text_go_to(struct text_console *console, const struct text_stream *stream, uint32_t column, uint32_t row)
{
	if (stream->style.modes & TEXT_ORIGIN) {
		row += stream->top;
		if (row >= stream->end)
			row = stream->end - 1;
	}
	text_move_to(console, column, row);
}

void text_save(struct text_console *console, struct text_stream *stream)
{
	console->saved[console->alternate] = (struct text_saved){
		.valid = true, .at = console->at, .wrap_due = console->wrap_due, .style = stream->style
	};
}

/*
 * Restore the cursor and the style; TEXT_INSERT and TEXT_NEWLINE stay as they are. When nothing was saved, go to the
 * initial state.
 */
void text_restore(struct text_console *console, struct text_stream *stream)
{
	const struct text_saved *saved = &console->saved[console->alternate];
	uint8_t kept = stream->style.modes & (TEXT_INSERT | TEXT_NEWLINE);

	if (!saved->valid) {
		text_reset(console, stream);
		text_move_to(console, 0, 0);
		return;
	}
	stream->style = saved->style;
	stream->style.modes = (uint8_t)((saved->style.modes & ~(TEXT_INSERT | TEXT_NEWLINE)) | kept);
	text_move_to(console, saved->at.column, saved->at.row);
	console->wrap_due = saved->wrap_due;
}

void text_set_region(struct text_console *console, struct text_stream *stream)
{
	uint32_t rows = console->grid.rows, top = vt_count(&stream->parser, 0), end = rows;

	if (stream->parser.count > 1 && stream->parser.parameter[1] && stream->parser.parameter[1] < rows)
		end = stream->parser.parameter[1];
	if (top >= end)
		return;
	stream->top = top - 1;
	stream->end = end;
	text_go_to(console, stream, 0, 0);
}

static void set_mode(struct text_stream *stream, enum text_mode mode, bool on)
{
	if (on)
		stream->style.modes |= mode;
	else
		stream->style.modes &= (uint8_t)~mode;
}

/* Show the alternate page, or the main one. Nothing happens when that page is shown already. */
static void choose_page(struct text_console *console, bool alternate)
{
	if (console->alternate == alternate)
		return;
	console->alternate = alternate;
	text_grid_exchange(&console->grid);
}

static void clear(struct text_console *console, const struct text_stream *stream)
{
	text_grid_fill(&console->grid, (struct text_place){ 0, 0 }, console->grid.rows * console->grid.columns,
		       text_blank(console, stream));
}

/*
 * Set or reset mode 1049, which gives an editor a page of its own: setting it shows the alternate page, cleared, and
 * resetting it restores the earlier page and cursor.
 */
static void editor_page(struct text_console *console, struct text_stream *stream, bool on)
{
	if (on == console->alternate)
		return;
	if (on) {
		text_save(console, stream);
		choose_page(console, true);
		clear(console, stream);
	} else {
		choose_page(console, false);
		text_restore(console, stream);
	}
}

static void private_mode(struct text_console *console, struct text_stream *stream, uint16_t mode, bool on)
{
	switch (mode) {
	case 1:
		console->application_cursor = on;
		break;
	case 6:
		set_mode(stream, TEXT_ORIGIN, on);
		text_go_to(console, stream, 0, 0);
		break;
	case 7:
		set_mode(stream, TEXT_WRAP, on);
		break;
	case 25:
		console->cursor = on;
		break;
	case 1047:
		if (!on && console->alternate)
			clear(console, stream);
		choose_page(console, on);
		break;
	case 47:
		choose_page(console, on);
		break;
	case 1048:
		(on ? text_save : text_restore)(console, stream);
		break;
	case 1049:
		editor_page(console, stream, on);
		break;
	default: /* colours of the screen, blinking, mice, bracketed paste: this terminal has none of them */
		break;
	}
}

void text_change_modes(struct text_console *console, struct text_stream *stream)
{
	const struct vt_parser *s = &stream->parser;
	bool on = s->final == 'h';

	for (unsigned i = 0; i < s->count; i++) {
		if (s->prefix == '?')
			private_mode(console, stream, s->parameter[i], on);
		else if (s->parameter[i] == 4)
			set_mode(stream, TEXT_INSERT, on);
		else if (s->parameter[i] == 20)
			set_mode(stream, TEXT_NEWLINE, on);
	}
}

void text_soft_reset(struct text_console *console, struct text_stream *stream)
{
	text_reset(console, stream);
	console->cursor = true;
	console->application_cursor = false;
	console->saved[console->alternate] = (struct text_saved){ .valid = false };
}

void text_full_reset(struct text_console *console, struct text_stream *stream)
{
	choose_page(console, false);
	console->saved[0] = console->saved[1] = (struct text_saved){ .valid = false };
	text_soft_reset(console, stream);
	text_tabs_reset(console);
	clear(console, stream);
	text_move_to(console, 0, 0);
}

/* Fill the screen with E (DECALN): a test picture for adjusting a cathode-ray tube. */
void text_alignment(struct text_console *console, struct text_stream *stream)
{
	struct vt_pen pen = VT_PEN_DEFAULT;

	stream->top = 0;
	stream->end = console->grid.rows;
	text_grid_fill(&console->grid, (struct text_place){ 0, 0 }, console->grid.rows * console->grid.columns,
		       vt_pen_cell(&pen, font_glyph(console->grid.font, 'E')));
	text_move_to(console, 0, 0);
}
