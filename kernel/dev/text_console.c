/*
 * What the bytes sent to the screen mean. Owns the cursor, the colours and the state of an unfinished
 * sequence; which cells are drawn is the grid's business.
 */
#include "kernel/dev/text_console.h"

#define TAB 8
#define ESC 0x1b

enum status text_console_init(const struct boot_framebuffer *info, void *pixels, const struct font *font, void *memory,
			      size_t size, struct text_console *ret)
{
	*ret = (struct text_console){ .foreground = TEXT_GREY, .background = TEXT_BLACK, .cursor = true };
	return text_grid_init(info, pixels, font, memory, size, &ret->grid);
}

static cell_t cell(const struct text_console *console, uint8_t glyph)
{
	uint8_t foreground = console->foreground;

	if (console->bold)
		foreground |= TEXT_BRIGHT;
	return text_cell(glyph, foreground, console->background);
}

static void erase(struct text_console *console, struct text_place from, uint32_t cells)
{
	text_grid_fill(&console->grid, from, cells, cell(console, console->grid.font->space));
}

static void new_line(struct text_console *console)
{
	console->at.column = 0;
	if (console->at.row + 1 < console->grid.rows)
		console->at.row++;
	else
		text_grid_scroll(&console->grid, cell(console, console->grid.font->space));
}

static void show(struct text_console *console, uint32_t code_point)
{
	if (console->at.column == console->grid.columns)
		new_line(console);
	text_grid_put(&console->grid, console->at, cell(console, font_glyph(console->grid.font, code_point)));
	console->at.column++;
}

static void control_character(struct text_console *console, uint8_t byte)
{
	struct text_place *at = &console->at;

	switch (byte) {
	case '\n':
		new_line(console);
		break;
	case '\r':
		at->column = 0;
		break;
	case '\b':
		if (at->column > 0)
			at->column--;
		break;
	case '\t':
		at->column = (at->column / TAB + 1) * TAB;
		if (at->column > console->grid.columns)
			at->column = console->grid.columns;
		break;
	case ESC:
		console->state = TEXT_ESCAPE;
		break;
	default: /* the rest does nothing on a screen */
		break;
	}
}

/* ---- escape sequences ---- */

/* A count or place left out, or 0, means 1. */
static uint32_t at_least_one(uint16_t parameter)
{
	return parameter != 0 ? parameter : 1;
}

static uint32_t at_most(uint32_t value, uint32_t most)
{
	return value < most ? value : most;
}

static void select_graphics(struct text_console *console, uint16_t parameter)
{
	switch (parameter) {
	case 0:
		console->foreground = TEXT_GREY;
		console->background = TEXT_BLACK;
		console->bold = false;
		break;
	case 1:
		console->bold = true;
		break;
	case 22:
		console->bold = false;
		break;
	case 30 ... 37:
		console->foreground = parameter - 30;
		break;
	case 39:
		console->foreground = TEXT_GREY;
		break;
	case 40 ... 47:
		console->background = parameter - 40;
		break;
	case 49:
		console->background = TEXT_BLACK;
		break;
	case 90 ... 97:
		console->foreground = TEXT_BRIGHT + (parameter - 90);
		break;
	default:
		break;
	}
}

/* Erase in the cells [start, start + size) of the screen, counted row by row, that hold the cursor. */
static void erase_part(struct text_console *console, uint16_t which, uint32_t start, uint32_t size)
{
	uint32_t columns = console->grid.columns;
	uint32_t here = console->at.row * columns + at_most(console->at.column, columns - 1);
	uint32_t end = start + size;

	if (which == 0)
		start = here;
	else if (which == 1)
		end = here + 1;
	else if (which != 2)
		return;
	erase(console, (struct text_place){ start % columns, start / columns }, end - start);
}

static void run_sequence(struct text_console *console, uint8_t final)
{
	const uint16_t *parameter = console->parameter;
	uint32_t columns = console->grid.columns, rows = console->grid.rows;
	struct text_place *at = &console->at;

	if (console->question) {
		if (parameter[0] == 25 && (final == 'h' || final == 'l'))
			console->cursor = final == 'h';
		return;
	}
	switch (final) {
	case 'm':
		for (int i = 0; i <= console->parameters; i++)
			select_graphics(console, parameter[i]);
		break;
	case 'C':
		at->column = at_most(at->column + at_least_one(parameter[0]), columns - 1);
		break;
	case 'D':
		at->column -= at_most(at_least_one(parameter[0]), at->column);
		break;
	case 'H':
		at->row = at_most(at_least_one(parameter[0]) - 1, rows - 1);
		at->column = at_most(at_least_one(parameter[1]) - 1, columns - 1);
		break;
	case 'J':
		erase_part(console, parameter[0], 0, rows * columns);
		break;
	case 'K':
		erase_part(console, parameter[0], at->row * columns, columns);
		break;
	default:
		break;
	}
}

/* A byte after ESC [: part of a parameter, or the end. */
static void control_byte(struct text_console *console, uint8_t byte)
{
	uint16_t *parameter = &console->parameter[console->parameters];

	if (byte >= '0' && byte <= '9') {
		*parameter = at_most(*parameter * 10U + (byte - '0'), 9999);
	} else if (byte == ';') {
		/* Beyond what there is room for, the last parameter is overwritten: no sequence here has so many. */
		if (console->parameters + 1 < TEXT_PARAMETERS)
			console->parameters++;
		console->parameter[console->parameters] = 0;
	} else if (byte == '?') {
		console->question = true;
	} else if (byte >= 0x40 && byte <= 0x7e) {
		console->state = TEXT_PLAIN;
		run_sequence(console, byte);
	} else if (byte < 0x20 || byte > 0x7e) {
		/* Not a sequence at all: do not swallow text in search of its end. */
		console->state = TEXT_PLAIN;
		control_character(console, byte);
	}
}

static void escape_byte(struct text_console *console, uint8_t byte)
{
	if (byte != '[') {
		console->state = TEXT_PLAIN; /* the short sequences, ESC c and the like: none is known here */
		return;
	}
	console->state = TEXT_CONTROL;
	console->question = false;
	console->parameters = 0;
	for (int i = 0; i < TEXT_PARAMETERS; i++)
		console->parameter[i] = 0;
}

/* ---- the stream ---- */

static void plain_byte(struct text_console *console, uint8_t byte)
{
	uint32_t code_point;
	enum utf8_result result;

	do {
		result = utf8_feed(&console->utf8, byte, &code_point);
		if (result == UTF8_MORE)
			return;
		if (code_point < 0x20 || code_point == 0x7f)
			control_character(console, byte);
		else
			show(console, code_point);
	} while (result == UTF8_BAD_BUT);
}

void text_console_write(struct text_console *console, const char *text, size_t size)
{
	struct text_place cursor;

	for (size_t i = 0; i < size; i++) {
		uint8_t byte = text[i];

		if (console->state == TEXT_PLAIN)
			plain_byte(console, byte);
		else if (console->state == TEXT_ESCAPE)
			escape_byte(console, byte);
		else
			control_byte(console, byte);
	}
	cursor = (struct text_place){ at_most(console->at.column, console->grid.columns - 1), console->at.row };
	text_grid_draw(&console->grid, console->cursor ? &cursor : NULL);
}
