/*
 * Shows characters: moves the cursor, wraps lines, handles tab stops and control characters. text_grid.c decides which
 * cells are drawn, and text_sequence.c does what escape sequences say.
 */
#include "kernel/dev/text_console.h"

#include "kernel/dev/text_internal.h"
#include "kernel/dev/vt_charset.h"
#include "kernel/lib/string.h"

#define TAB 8

enum { SO = 0x0e, SI = 0x0f };

enum status text_console_init(const struct boot_framebuffer *info, void *pixels, const struct font *font, void *memory,
			      size_t size, struct text_console *ret)
{
	enum status status;

	*ret = (struct text_console){ .cursor = true };
	status = text_grid_init(info, pixels, font, memory, size, &ret->grid);
	if (status != OK)
		return status;
	text_reset(ret, &ret->kernel);
	text_reset(ret, &ret->program);
	ret->program.answers = true;
	text_tabs_reset(ret);
	return OK;
}

void text_reset(struct text_console *console, struct text_stream *stream)
{
	stream->style = (struct text_style){ .pen = VT_PEN_DEFAULT, .modes = TEXT_WRAP };
	if (stream == &console->kernel)
		stream->style.modes |= TEXT_NEWLINE;
	stream->top = 0;
	stream->end = console->grid.rows;
	stream->last = 0;
}

cell_t text_blank(const struct text_console *console, const struct text_stream *stream)
{
	return vt_pen_blank(&stream->style.pen, console->grid.font);
}

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

void text_move_to(struct text_console *console, uint32_t column, uint32_t row)
{
	console->at.column = at_most(column, console->grid.columns - 1);
	console->at.row = at_most(row, console->grid.rows - 1);
	console->wrap_due = false;
}

void text_index(struct text_console *console, const struct text_stream *stream)
{
	console->wrap_due = false;
	if (console->at.row + 1 == stream->end)
		text_grid_scroll_up(&console->grid, stream->top, stream->end, 1, text_blank(console, stream));
	else if (console->at.row + 1 < console->grid.rows)
		console->at.row++;
}

void text_reverse_index(struct text_console *console, const struct text_stream *stream)
{
	console->wrap_due = false;
	if (console->at.row == stream->top)
		text_grid_scroll_down(&console->grid, stream->top, stream->end, 1, text_blank(console, stream));
	else if (console->at.row > 0)
		console->at.row--;
}

/* ---- tab stops ---- */

static bool is_tab_stop(const struct text_console *console, uint32_t column)
{
	if (column >= TEXT_TABS)
		return column % TAB == 0;
	return console->tabs[column / 8] >> column % 8 & 1;
}

void text_tab(struct text_console *console, uint32_t count)
{
	uint32_t column = console->at.column, last = console->grid.columns - 1;

	for (; count > 0 && column < last; count--)
		do
			column++;
		while (column < last && !is_tab_stop(console, column));
	text_move_to(console, column, console->at.row);
}

void text_tab_back(struct text_console *console, uint32_t count)
{
	uint32_t column = console->at.column;

	for (; count > 0 && column > 0; count--)
		do
			column--;
		while (column > 0 && !is_tab_stop(console, column));
	text_move_to(console, column, console->at.row);
}

void text_tab_set(struct text_console *console, bool stop)
{
	uint32_t column = console->at.column;

	if (column >= TEXT_TABS)
		return;
	if (stop)
		console->tabs[column / 8] |= (uint8_t)(1U << column % 8);
	else
		console->tabs[column / 8] &= (uint8_t) ~(1U << column % 8);
}

void text_tabs_clear(struct text_console *console)
{
	memset(console->tabs, 0, sizeof(console->tabs));
}

void text_tabs_reset(struct text_console *console)
{
	/* Set bit 0 of each byte: columns 0, 8, 16, … have a stop. */
	memset(console->tabs, 1, sizeof(console->tabs));
}

_Static_assert(TAB == 8, "a byte of the tab stops holds as many columns");

/* ---- characters ---- */

static void put(struct text_console *console, struct text_stream *stream, uint8_t glyph)
{
	cell_t cell = vt_pen_cell(&stream->style.pen, glyph);

	if (stream->style.modes & TEXT_INSERT)
		text_grid_insert(&console->grid, console->at, 1, cell);
	else
		text_grid_put(&console->grid, console->at, cell);
	if (console->at.column + 1 < console->grid.columns)
		console->at.column++;
	else
		console->wrap_due = true;
}

void text_show(struct text_console *console, struct text_stream *stream, uint32_t code_point)
{
	const struct font *font = console->grid.font;
	unsigned width = vt_width(code_point);

	if (width == 0)
		return;
	stream->last = code_point;
	if (stream->style.graphics[stream->style.set])
		code_point = vt_graphics(code_point);
	if (stream->style.modes & TEXT_WRAP &&
	    (console->wrap_due || console->at.column + width > console->grid.columns)) {
		text_index(console, stream);
		console->at.column = 0;
	}
	console->wrap_due = false;
	put(console, stream, font_glyph(font, code_point));
	if (width == 2 && !console->wrap_due)
		put(console, stream, font->space);
}

static void control(struct text_console *console, struct text_stream *stream, uint8_t byte)
{
	struct text_place at = console->at;

	switch (byte) {
	case '\n':
	case '\v':
	case '\f':
		text_index(console, stream);
		if (stream->style.modes & TEXT_NEWLINE)
			console->at.column = 0;
		break;
	case '\r':
		text_move_to(console, 0, at.row);
		break;
	case '\b':
		text_move_to(console, at.column > 0 ? at.column - 1 : 0, at.row);
		break;
	case '\t':
		text_tab(console, 1);
		break;
	case SO:
	case SI:
		stream->style.set = byte == SO;
		break;
	default: /* other control characters do nothing on a screen, and the bell has no sound device */
		break;
	}
}

void text_console_feed(struct text_console *console, struct text_stream *stream, const char *text, size_t size)
{
	const char *end = text + size;
	enum vt_event event;

	while ((event = vt_parser_next(&stream->parser, &text, end)) != VT_END) {
		if (event == VT_PRINT)
			text_show(console, stream, stream->parser.code_point);
		else if (event == VT_CONTROL)
			control(console, stream, stream->parser.final);
		else if (event == VT_ESCAPE)
			text_run_escape(console, stream);
		else
			text_run_sequence(console, stream);
	}
	text_grid_set_cursor(&console->grid, console->cursor ? &console->at : NULL);
}

void text_console_reset(struct text_console *console)
{
	console->kernel.parser = console->program.parser = (struct vt_parser){ 0 };
	text_reset(console, &console->program);
	text_full_reset(console, &console->kernel);
	text_grid_set_cursor(&console->grid, &console->at);
}

bool text_console_draw_row(struct text_console *console)
{
	if (!text_grid_is_dirty(&console->grid))
		return false;
	text_grid_draw_row(&console->grid);
	return true;
}

size_t text_console_reply(struct text_console *console, char ret_bytes[TEXT_REPLY])
{
	size_t size = console->replied;

	memcpy(ret_bytes, console->reply, size);
	console->replied = 0;
	return size;
}
