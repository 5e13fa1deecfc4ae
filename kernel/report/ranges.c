/*
 * The ranges of the virtual memory map as a table; see ranges.h.
 */
#include "kernel/report/ranges.h"

const struct layout_range layout_ranges[LAYOUT_COUNT] = {
#define X(key, base, size, name) { base, size, #key, name },
	LAYOUT_RANGES(X)
#undef X
};

size_t layout_find(vaddr_t va)
{
	size_t i = 0;

	while (i < LAYOUT_COUNT && va - layout_ranges[i].base >= layout_ranges[i].size)
		i++;
	return i;
}
