/*
 * Executes escape and control sequences (ECMA-48; DEC STD 070; "XTerm Control Sequences"). Two tables have a function
 * for each sequence: those that move the cursor, erase, or answer a question are in this file, those that change modes
 * are in text_mode.c.
 */
#include "kernel/dev/text_internal.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

typedef void sequence_fn(struct text_console *console, struct text_stream *stream);

/* ---- places ---- */

static uint32_t count_of(const struct text_stream *stream)
{
	return vt_count(&stream->parser, 0);
}

static void up(struct text_console *console, struct text_stream *stream)
{
	uint32_t row = console->at.row, most = row >= stream->top ? row - stream->top : row, count = count_of(stream);

	text_move_to(console, console->at.column, row - (count < most ? count : most));
}

static void down(struct text_console *console, struct text_stream *stream)
{
	uint32_t row = console->at.row, end = row < stream->end ? stream->end : console->grid.rows;
	uint32_t most = end - 1 - row, count = count_of(stream);

	text_move_to(console, console->at.column, row + (count < most ? count : most));
}

static void right(struct text_console *console, struct text_stream *stream)
{
	text_move_to(console, console->at.column + count_of(stream), console->at.row);
}

static void left(struct text_console *console, struct text_stream *stream)
{
	uint32_t column = console->at.column, count = count_of(stream);

	text_move_to(console, count < column ? column - count : 0, console->at.row);
}

static void next_rows(struct text_console *console, struct text_stream *stream)
{
	down(console, stream);
	console->at.column = 0;
}

static void previous_rows(struct text_console *console, struct text_stream *stream)
{
	up(console, stream);
	console->at.column = 0;
}

static void to_column(struct text_console *console, struct text_stream *stream)
{
	text_move_to(console, count_of(stream) - 1, console->at.row);
}

static void to_row(struct text_console *console, struct text_stream *stream)
{
	text_go_to(console, stream, console->at.column, count_of(stream) - 1);
}

static void to_place(struct text_console *console, struct text_stream *stream)
{
	text_go_to(console, stream, vt_count(&stream->parser, 1) - 1, count_of(stream) - 1);
}

static void tab_forward(struct text_console *console, struct text_stream *stream)
{
	text_tab(console, count_of(stream));
}

static void tab_backward(struct text_console *console, struct text_stream *stream)
{
	text_tab_back(console, count_of(stream));
}

static void tab_clear(struct text_console *console, struct text_stream *stream)
{
	if (stream->parser.parameter[0] == 0)
		text_tab_set(console, false);
	else if (stream->parser.parameter[0] == 3)
		text_tabs_clear(console);
}

static void tab_set(struct text_console *console, struct text_stream *stream)
{
	(void)stream;
	text_tab_set(console, true);
}

/* ---- erasing and moving text ---- */

static void erase(struct text_console *console, const struct text_stream *stream, struct text_place from,
		  uint32_t cells)
{
	if (cells)
		text_grid_fill(&console->grid, from, cells, text_blank(console, stream));
}

/*
 * Erase as the parameter says: from the cursor to the end, from the start to the cursor, or all of the cells [start,
 * start + size), counted row by row from the top left. The cursor must be among these cells.
 */
static void erase_part(struct text_console *console, struct text_stream *stream, uint32_t start, uint32_t size)
{
	uint32_t columns = console->grid.columns, here = console->at.row * columns + console->at.column;
	uint32_t end = start + size;

	switch (stream->parser.parameter[0]) {
	case 0:
		start = here;
		break;
	case 1:
		end = here + 1;
		break;
	case 2:
		break;
	default: /* 3 asks to erase what has scrolled away, which is not kept anyway */
		return;
	}
	erase(console, stream, (struct text_place){ start % columns, start / columns }, end - start);
}

static void erase_screen(struct text_console *console, struct text_stream *stream)
{
	erase_part(console, stream, 0, console->grid.rows * console->grid.columns);
}

static void erase_row(struct text_console *console, struct text_stream *stream)
{
	erase_part(console, stream, console->at.row * console->grid.columns, console->grid.columns);
}

static void erase_characters(struct text_console *console, struct text_stream *stream)
{
	uint32_t count = count_of(stream), most = console->grid.columns - console->at.column;

	erase(console, stream, console->at, count < most ? count : most);
	console->wrap_due = false;
}

static void insert_characters(struct text_console *console, struct text_stream *stream)
{
	text_grid_insert(&console->grid, console->at, count_of(stream), text_blank(console, stream));
	console->wrap_due = false;
}

static void delete_characters(struct text_console *console, struct text_stream *stream)
{
	text_grid_delete(&console->grid, console->at, count_of(stream), text_blank(console, stream));
	console->wrap_due = false;
}

/* Insert or delete rows at the cursor, if it is inside the scrolling region. */
static void insert_rows(struct text_console *console, struct text_stream *stream)
{
	uint32_t row = console->at.row;

	if (row < stream->top || row >= stream->end)
		return;
	text_grid_scroll_down(&console->grid, row, stream->end, count_of(stream), text_blank(console, stream));
	text_move_to(console, 0, row);
}

static void delete_rows(struct text_console *console, struct text_stream *stream)
{
	uint32_t row = console->at.row;

	if (row < stream->top || row >= stream->end)
		return;
	text_grid_scroll_up(&console->grid, row, stream->end, count_of(stream), text_blank(console, stream));
	text_move_to(console, 0, row);
}

static void scroll_up(struct text_console *console, struct text_stream *stream)
{
	text_grid_scroll_up(&console->grid, stream->top, stream->end, count_of(stream), text_blank(console, stream));
}

static void scroll_down(struct text_console *console, struct text_stream *stream)
{
	/* ESC [ T with more than one parameter is a command of xterm for the mouse. */
	if (stream->parser.count == 1)
		text_grid_scroll_down(&console->grid, stream->top, stream->end, count_of(stream),
				      text_blank(console, stream));
}

static void repeat(struct text_console *console, struct text_stream *stream)
{
	uint32_t count = count_of(stream), most = console->grid.columns;

	if (!stream->last)
		return;
	/* Repeat the character for one row at the most, so that a few bytes cannot cause the work of thousands. */
	for (count = count < most ? count : most; count > 0; count--)
		text_show(console, stream, stream->last);
}

static void select_graphics(struct text_console *console, struct text_stream *stream)
{
	(void)console;
	vt_pen_select(&stream->style.pen, &stream->parser);
}

/* ---- questions ---- */

/*
 * Queue an answer to a program. If the queue is full the answer is dropped: programs read an answer before they ask
 * more.
 */
static void answer(struct text_console *console, const struct text_stream *stream, const char *text)
{
	size_t size = strlen(text);

	if (!stream->answers || size > sizeof(console->reply) - console->replied)
		return;
	memcpy(console->reply + console->replied, text, size);
	console->replied = (uint8_t)(console->replied + size);
}

static void report_status(struct text_console *console, struct text_stream *stream)
{
	uint32_t row = console->at.row;
	char text[32];

	if (stream->parser.parameter[0] == 5 && !stream->parser.prefix) {
		answer(console, stream, "\033[0n");
	} else if (stream->parser.parameter[0] == 6) {
		if (stream->style.modes & TEXT_ORIGIN)
			row -= row >= stream->top ? stream->top : row;
		format_s(text, sizeof(text), "\033[%s%u;%uR", stream->parser.prefix ? "?" : "", row + 1,
			 console->at.column + 1);
		answer(console, stream, text);
	}
}

/*
 * Answer the question "who are you?" (DA): a VT102; to its second form (secondary DA) answer: a VT220 of version 0.
 * These answers are not themselves questions, since an answer may be echoed to this terminal.
 */
static void report_device(struct text_console *console, struct text_stream *stream)
{
	if (stream->parser.parameter[0] == 0)
		answer(console, stream, stream->parser.prefix ? "\033[>1;0;0c" : "\033[?6c");
}

static void report_size(struct text_console *console, struct text_stream *stream)
{
	char text[32];

	if (stream->parser.parameter[0] != 18)
		return; /* moving windows, saving titles: this terminal has neither */
	format_s(text, sizeof(text), "\033[8;%u;%ut", console->grid.rows, console->grid.columns);
	answer(console, stream, text);
}

/* ---- the tables ---- */

/* What ESC [ … does, indexed by the last byte; sequences without prefix and intermediate. */
static sequence_fn *const sequences[] = {
	['@'] = insert_characters,
	['A'] = up,
	['B'] = down,
	['C'] = right,
	['D'] = left,
	['E'] = next_rows,
	['F'] = previous_rows,
	['G'] = to_column,
	['H'] = to_place,
	['I'] = tab_forward,
	['J'] = erase_screen,
	['K'] = erase_row,
	['L'] = insert_rows,
	['M'] = delete_rows,
	['P'] = delete_characters,
	['S'] = scroll_up,
	['T'] = scroll_down,
	['X'] = erase_characters,
	['Z'] = tab_backward,
	['`'] = to_column,
	['a'] = right,
	['b'] = repeat,
	['c'] = report_device,
	['d'] = to_row,
	['e'] = down,
	['f'] = to_place,
	['g'] = tab_clear,
	['h'] = text_change_modes,
	['l'] = text_change_modes,
	['m'] = select_graphics,
	['n'] = report_status,
	['r'] = text_set_region,
	['s'] = text_save,
	['t'] = report_size,
	['u'] = text_restore,
	[0x7f] = NULL,
};

static void next_line(struct text_console *console, struct text_stream *stream)
{
	text_index(console, stream);
	console->at.column = 0;
}

static void index_down(struct text_console *console, struct text_stream *stream)
{
	text_index(console, stream);
}

static void index_up(struct text_console *console, struct text_stream *stream)
{
	text_reverse_index(console, stream);
}

/* What ESC and one byte do, indexed by that byte. */
static sequence_fn *const escapes[] = {
	['7'] = text_save, ['8'] = text_restore,  ['D'] = index_down,      ['E'] = next_line, ['H'] = tab_set,
	['M'] = index_up,  ['Z'] = report_device, ['c'] = text_full_reset, [0x7f] = NULL,
};

void text_run_escape(struct text_console *console, struct text_stream *stream)
{
	uint8_t final = stream->parser.final;

	switch (stream->parser.intermediate) {
	case 0:
		if (escapes[final])
			escapes[final](console, stream);
		break;
	case '(':
	case ')':
		stream->style.graphics[stream->parser.intermediate == ')'] = final == '0';
		break;
	case '#':
		if (final == '8')
			text_alignment(console, stream);
		break;
	default:
		break;
	}
}

void text_run_sequence(struct text_console *console, struct text_stream *stream)
{
	const struct vt_parser *s = &stream->parser;

	if (s->intermediate) {
		if (s->intermediate == '!' && s->final == 'p')
			text_soft_reset(console, stream);
		return;
	}
	switch (s->prefix) {
	case 0:
		if (sequences[s->final])
			sequences[s->final](console, stream);
		break;
	case '?':
		if (s->final == 'h' || s->final == 'l')
			text_change_modes(console, stream);
		else if (s->final == 'n')
			report_status(console, stream);
		else if (s->final == 'J')
			erase_screen(console, stream);
		else if (s->final == 'K')
			erase_row(console, stream);
		break;
	case '>':
		if (s->final == 'c')
			report_device(console, stream);
		break;
	default:
		break;
	}
}
