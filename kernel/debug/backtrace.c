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

#define PUSH_RBP 0x55 /* how a function that makes a frame begins */

/*
 * Where no frame has been made, what the call pushed is still on the stack: after a jump into nowhere, at a function's
 * first two instructions, and in the leaf functions that compilers give no frame whatever they are told.
 */
static bool find_pushed(const struct space *s, const struct backtrace_start *start, vaddr_t *ret)
{
	vaddr_t at = start->rsp;
	uint64_t offset;
	uint8_t first;

	if (is_in_text(start->rip, &offset) && offset) {
		if (peek(s, start->rip - offset, &first, sizeof(first)) != OK)
			return false;
		if (first == PUSH_RBP && offset > 1)
			return false;
		if (first == PUSH_RBP)
			at += sizeof(vaddr_t);
	}
	return peek(s, at, ret, sizeof(*ret)) == OK && is_in_text(*ret, &offset);
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
