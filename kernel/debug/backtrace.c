/*
 * Follows frame pointers, which every function of ours keeps, and prints what it finds.
 */
#include "kernel/debug/backtrace.h"

#include "kernel/debug/peek.h"
#include "kernel/debug/symbols.h"

static bool is_in_text(vaddr_t va, uint64_t *ret_offset)
{
	char name[1];

	return symbol_find(va, name, sizeof(name), ret_offset) == OK;
}

/*
 * A jump into nowhere, or a function's very first instruction: no frame has been made, and what the call pushed is
 * still on top of the stack.
 */
static bool find_pushed(const struct space *s, const struct backtrace_start *start, vaddr_t *ret)
{
	uint64_t offset;

	if (is_in_text(start->rip, &offset) && offset)
		return false;
	return peek(s, start->rsp, ret, sizeof(*ret)) == OK && is_in_text(*ret, &offset);
}

void backtrace_print(print_fn *print, const struct space *s, const struct backtrace_start *start, size_t most)
{
	vaddr_t callers[BACKTRACE_MOST];
	char text[SYMBOL_TEXT];
	size_t count = 0;

	if (find_pushed(s, start, &callers[0]))
		count++;
	count += peek_frames(s, start->rbp, callers + count, BACKTRACE_MOST - count);

	print(" #%-2d 0x%016llx %s\n", 0, (unsigned long long)start->rip, symbol_format(start->rip, text));
	for (size_t i = 0, lines = 1; i < count; i++) {
		size_t first = i;

		if (++lines > most) {
			print(" ...\n");
			return;
		}
		print(" #%-2zu 0x%016llx %s\n", i + 1, (unsigned long long)callers[i],
		      symbol_format_return(callers[i], text));
		/* A recursion would push all that led to it off the page. */
		while (i + 1 < count && callers[i + 1] == callers[first])
			i++;
		if (i > first && ++lines <= most)
			print("     the same %zu more times\n", i - first);
	}
	if (count == BACKTRACE_MOST)
		print(" ...\n");
}
