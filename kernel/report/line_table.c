/*
 * Finds source lines in the table. The table holds a program of small operations that makes rows, each an address and
 * the lines of its code. A search runs the program twice: first to count the rows that begin at or before the offset,
 * then up to the last of these. So no row needs to be kept, and nothing is allocated.
 */
#include "kernel/report/line_table.h"

#include "kernel/lib/string.h"
#include "kernel/report/packed_text.h"

/* The bytes of the table's program; scripts/mklines describes it. */
#define ROW_ADDRESSES 28
#define ROW_LEAST     (-3)
#define OP_POP        224
#define OP_PUSH       232
#define OP_LINE       233
#define OP_ADDRESS    234
#define OP_BOTTOM     235

/* The parts of a line table. */
struct parts {
	struct packed_pairs pairs;
	/* `files` and `functions` are lists, each of which begins with the number of its entries */
	struct packed_reader files, functions, program;
};

struct state {
	struct packed_reader program;
	uint64_t offset; /* offset of the current row; UINT64_MAX, which is -1, before the first row */
	struct line_place stack[LINE_DEPTH];
	size_t depth;
};

/* Skip a list of texts, each of which has `numbers` numbers before it. Returns false when the list is broken. */
static bool skip_list(struct packed_reader *r, int numbers)
{
	uint64_t count, codes, unused;

	if (!packed_number(r, &count))
		return false;
	while (count--) {
		for (int i = 0; i < numbers; i++)
			if (!packed_number(r, &unused))
				return false;
		if (!packed_number(r, &codes) || codes > (uint64_t)(r->end - r->at))
			return false;
		r->at += codes;
	}
	return true;
}

static bool open_table(const struct line_table *table, struct parts *ret)
{
	struct packed_reader r = { table->bytes, table->bytes + table->size };

	if (!packed_pairs(&r, &ret->pairs))
		return false;
	ret->files = r;
	if (!skip_list(&r, 0))
		return false;
	ret->functions = r;
	if (!skip_list(&r, 2))
		return false;
	ret->program = r;
	return true;
}

/*
 * Read entry `index` of a list: its numbers, and its text if `text` is not NULL. Returns false when there is no such
 * entry.
 */
static bool find_entry(const struct parts *parts, struct packed_reader list, uint64_t index, uint64_t *numbers,
		       int number_count, char *text)
{
	uint64_t count, codes;

	if (!packed_number(&list, &count) || index >= count)
		return false;
	for (;;) {
		for (int i = 0; i < number_count; i++)
			if (!packed_number(&list, &numbers[i]))
				return false;
		if (!packed_number(&list, &codes) || codes > (uint64_t)(list.end - list.at))
			return false;
		if (!index--)
			break;
		list.at += codes;
	}
	if (text)
		packed_expand(&parts->pairs, list.at, codes, text, LINE_NAME);
	return true;
}

static bool read_signed(struct packed_reader *r, int64_t *ret)
{
	uint64_t value;

	if (!packed_number(r, &value))
		return false;
	*ret = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
	return true;
}

static bool push(struct state *s, uint64_t function)
{
	if (s->depth == LINE_DEPTH)
		return false;
	/* `line` counts from the function's first line until hand_out() adds that line's number and sets `file`. */
	s->stack[s->depth++] = (struct line_place){ .function = function };
	return true;
}

/* Run an operation that does not end a row. Returns false for a broken program. */
static bool run_operation(struct state *s, uint8_t operation)
{
	uint64_t number, line;
	int64_t change;

	if (operation < OP_PUSH) {
		size_t count = operation - OP_POP + 1U;

		if (count >= s->depth)
			return false;
		s->depth -= count;
		return true;
	}
	switch (operation) {
	case OP_PUSH:
		return s->depth && packed_number(&s->program, &number) && push(s, number);
	case OP_LINE:
		if (!s->depth || !read_signed(&s->program, &change))
			return false;
		s->stack[s->depth - 1].line += (uint32_t)change;
		return true;
	case OP_ADDRESS:
		if (!packed_number(&s->program, &number))
			return false;
		s->offset += number;
		return true;
	case OP_BOTTOM:
		if (!packed_number(&s->program, &number) || !packed_number(&s->program, &line))
			return false;
		s->stack[0] = (struct line_place){ LINE_OUTERMOST, number, (uint32_t)line };
		s->depth = 1;
		return true;
	}
	return false;
}

/* Run the program up to the next row. Returns false at the end. */
static bool next_row(struct state *s)
{
	while (s->program.at < s->program.end) {
		uint8_t operation = *s->program.at++;

		if (operation >= OP_POP) {
			if (!run_operation(s, operation))
				return false;
			continue;
		}
		if (!s->depth)
			return false;
		s->offset += 1 + operation % ROW_ADDRESSES;
		s->stack[s->depth - 1].line += (uint32_t)(operation / ROW_ADDRESSES + ROW_LEAST);
		return true;
	}
	return false;
}

/*
 * Write the places to `places`, the innermost first, and set their files and absolute line numbers. Returns how many.
 */
static size_t hand_out(const struct parts *parts, const struct state *s, struct line_place places[LINE_DEPTH])
{
	for (size_t i = 0; i < s->depth; i++) {
		struct line_place place = s->stack[s->depth - 1 - i];
		uint64_t numbers[2];

		if (place.function != LINE_OUTERMOST) {
			if (!find_entry(parts, parts->functions, place.function, numbers, 2, NULL))
				return 0;
			place.file = numbers[0];
			place.line += (uint32_t)numbers[1];
		}
		places[i] = place;
	}
	return s->depth;
}

size_t line_table_find(const struct line_table *table, uint64_t offset, struct line_place places[LINE_DEPTH])
{
	struct state state = { .offset = UINT64_MAX };
	struct parts parts;
	uint64_t rows = 0;

	if (!open_table(table, &parts))
		return 0;
	state.program = parts.program;
	while (next_row(&state) && state.offset <= offset)
		rows++;
	/* There is no line before the first row, nor from the last row on, which marks the end of the text. */
	if (!rows || state.offset <= offset)
		return 0;
	state = (struct state){ .program = parts.program, .offset = UINT64_MAX };
	while (rows--)
		(void)next_row(&state);
	return hand_out(&parts, &state, places);
}

static char *find_text(const struct line_table *table, bool is_file, uint64_t index, char text[LINE_NAME])
{
	uint64_t numbers[2];
	struct parts parts;

	if (!open_table(table, &parts) ||
	    !find_entry(&parts, is_file ? parts.files : parts.functions, index, numbers, is_file ? 0 : 2, text))
		memcpy(text, "?", 2);
	return text;
}

char *line_table_name(const struct line_table *table, uint64_t function, char name[LINE_NAME])
{
	return find_text(table, false, function, name);
}

char *line_table_file(const struct line_table *table, uint64_t file, char path[LINE_NAME])
{
	return find_text(table, true, file, path);
}
