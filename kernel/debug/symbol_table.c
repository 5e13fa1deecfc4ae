/*
 * The decoder of scripts/mksymbols' table. Knows nothing of the kernel's addresses, and keeps no index:
 * a search reads the table from its start, which a backtrace can afford.
 */
#include "kernel/debug/symbol_table.h"

#define FIRST_PAIR 128
#define MOST_PAIRS 128

/* What is left to read. */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
};

/* One entry: where the function starts and the codes of its name. */
struct entry {
	uint64_t offset;
	const uint8_t *codes;
	uint64_t count; /* 0: the end of the text */
};

static bool read_varint(struct reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
		uint8_t byte = *r->at++;

		value |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

/* The entry after one at `previous`; false at the table's end. */
static bool read_entry(struct reader *r, uint64_t previous, struct entry *ret)
{
	uint64_t step, count;

	if (!read_varint(r, &step) || !read_varint(r, &count) || count > (uint64_t)(r->end - r->at))
		return false;
	*ret = (struct entry){ previous + step, r->at, count };
	r->at += count;
	return true;
}

/*
 * Write what `code` stands for, from `at` on; returns where it ends. A pair's halves have smaller numbers than the
 * pair itself, so the pairs whose second half waits have ever smaller ones: no more can wait than there are pairs.
 */
static size_t expand(const uint8_t *pairs, size_t count, uint8_t code, char *name, size_t at, size_t size)
{
	uint8_t waiting[MOST_PAIRS];
	size_t depth = 0;

	for (;;) {
		while (code >= FIRST_PAIR) {
			size_t pair = code - FIRST_PAIR;

			if (pair >= count || pairs[2 * pair] >= code || pairs[2 * pair + 1] >= code)
				return at;
			waiting[depth++] = pairs[2 * pair + 1];
			code = pairs[2 * pair];
		}
		if (at + 1 < size)
			name[at++] = (char)code;
		if (!depth)
			return at;
		code = waiting[--depth];
	}
}

enum status symbol_table_find(const struct symbol_table *table, uint64_t offset, char *name, size_t size,
			      uint64_t *ret_offset)
{
	struct reader reader;
	struct entry next, found = { 0 };
	const uint8_t *pairs;
	size_t count, length = 0;

	if (!table->size)
		return ERR_NOT_FOUND;
	reader = (struct reader){ table->bytes, table->bytes + table->size };
	count = *reader.at++;
	if (count > MOST_PAIRS || 2 * count > (size_t)(reader.end - reader.at))
		return ERR_NOT_FOUND;
	pairs = reader.at;
	reader.at += 2 * count;
	do {
		if (!read_entry(&reader, found.offset, &next))
			return ERR_NOT_FOUND;
		if (next.offset > offset)
			break;
		found = next;
	} while (next.count);
	if (!found.count)
		return ERR_NOT_FOUND;

	for (uint64_t i = 0; i < found.count; i++)
		length = expand(pairs, count, found.codes[i], name, length, size);
	name[length] = '\0';
	*ret_offset = offset - found.offset;
	return OK;
}
