/*
 * Careful reads of the kernel's own memory, for panics, backtraces and gdb: each pointer is looked up in the page
 * tables before it is used.
 */
#include "kernel/report/peek.h"

#include "kernel/lib/string.h"

enum status peek(const struct space *s, vaddr_t va, void *buffer, size_t size)
{
	uint8_t *to = buffer;

	if (va < HEAP_BASE || size > -va)
		return ERR_RANGE;
	while (size) {
		size_t piece = PAGE_SIZE - (va & (PAGE_SIZE - 1));
		struct mapping m;

		if (piece > size)
			piece = size;
		if (space_lookup(s, va, &m) != OK)
			return ERR_NOT_FOUND;
		memcpy(to, (const void *)(s->direct + m.pa.raw + (va - m.va)), piece);
		to += piece;
		va += piece;
		size -= piece;
	}
	return OK;
}

size_t peek_frames(const struct space *s, vaddr_t rbp, vaddr_t *ret, size_t most)
{
	size_t count = 0;

	/*
	 * A chain of frames may run in a circle: `most` ends it. Accepting rising addresses only would end it as well,
	 * but also a sound chain that continues on another stack, at a lower address.
	 */
	while (count < most && is_aligned(rbp, sizeof(uint64_t))) {
		uint64_t frame[2]; /* the caller's frame pointer, then the return address */

		if (peek(s, rbp, frame, sizeof(frame)) != OK || !frame[1])
			break;
		ret[count++] = frame[1];
		rbp = frame[0];
	}
	return count;
}
