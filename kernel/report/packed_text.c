/*
 * Reads packed numbers and texts; see packed_text.h. scripts/pairs.py describes the form.
 */
#include "kernel/report/packed_text.h"

#define FIRST_PAIR 128
#define MOST_PAIRS 128

bool packed_number(struct packed_reader *r, uint64_t *ret)
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

bool packed_pairs(struct packed_reader *r, struct packed_pairs *ret)
{
	size_t count;

	if (r->at == r->end)
		return false;
	count = *r->at++;
	if (count > MOST_PAIRS || 2 * count > (size_t)(r->end - r->at))
		return false;
	*ret = (struct packed_pairs){ r->at, count };
	r->at += 2 * count;
	return true;
}

/*
 * Write the text that `code` stands for to text[at] and on; returns the index after it. Both halves of a pair have
 * smaller codes than the pair itself. While a first half is expanded, its second half waits; since codes only get
 * smaller, at most MOST_PAIRS halves wait at the same time.
 */
static size_t expand_code(const struct packed_pairs *pairs, uint8_t code, char *text, size_t at, size_t size)
{
	uint8_t waiting[MOST_PAIRS];
	size_t depth = 0;

	for (;;) {
		while (code >= FIRST_PAIR) {
			size_t pair = code - FIRST_PAIR;

			if (pair >= pairs->count || pairs->codes[2 * pair] >= code ||
			    pairs->codes[2 * pair + 1] >= code)
				return at;
			waiting[depth++] = pairs->codes[2 * pair + 1];
			code = pairs->codes[2 * pair];
		}
		if (at + 1 < size)
			text[at++] = (char)code;
		if (!depth)
			return at;
		code = waiting[--depth];
	}
}

void packed_expand(const struct packed_pairs *pairs, const uint8_t *codes, uint64_t count, char *text, size_t size)
{
	size_t length = 0;

	for (uint64_t i = 0; i < count; i++)
		length = expand_code(pairs, codes[i], text, length, size);
	text[length] = '\0';
}
