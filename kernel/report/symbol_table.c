/*
 * Finds names in the table that scripts/mksymbols makes, by offsets from the start of the text. There is no index: a
 * search reads the table from its start, which is fast enough for a backtrace.
 */
#include "kernel/report/symbol_table.h"

#include "kernel/report/packed_text.h"

/* One entry of the table: where the function starts, and the codes of its name. */
struct entry {
	uint64_t offset;
	const uint8_t *codes;
	uint64_t count; /* number of codes; 0: the entry marks the end of the text */
};

/* Read the next entry; `previous`: the offset of the entry before it. Returns false at the table's end. */
static bool read_entry(struct packed_reader *r, uint64_t previous, struct entry *ret)
{
	uint64_t step, count;

	if (!packed_number(r, &step) || !packed_number(r, &count) || count > (uint64_t)(r->end - r->at))
		return false;
	*ret = (struct entry){ previous + step, r->at, count };
	r->at += count;
	return true;
}

enum status symbol_table_find(const struct symbol_table *table, uint64_t offset, char *name, size_t size,
			      uint64_t *ret_offset)
{
	struct packed_reader reader = { table->bytes, table->bytes + table->size };
	struct entry next, found = { 0 };
	struct packed_pairs pairs;

	if (!packed_pairs(&reader, &pairs))
		return ERR_NOT_FOUND;
	do {
		if (!read_entry(&reader, found.offset, &next))
			return ERR_NOT_FOUND;
		if (next.offset > offset)
			break;
		found = next;
	} while (next.count);
	if (!found.count)
		return ERR_NOT_FOUND;

	packed_expand(&pairs, found.codes, found.count, name, size);
	*ret_offset = offset - found.offset;
	return OK;
}
