/*
 * Follows frame pointers and prints the callers. The kernel's functions keep frame pointers, except some that call no
 * other function (leaf functions).
 */
#include "kernel/report/backtrace.h"

#include "kernel/lib/format.h"
#include "kernel/report/lines.h"
#include "kernel/report/peek.h"
#include "kernel/report/symbols.h"

static bool is_in_text(vaddr_t va, uint64_t *ret_offset)
{
	char name[1];

	return symbol_find(va, name, sizeof(name), ret_offset) == OK;
}

#define PUSH_RBP 0x55 /* PUSH RBP: the first byte of a function that makes a frame */

/*
 * Find the return address of a function that has not set up its frame: a CALL has pushed the address, and it is still
 * at the stack's top, or next to the top when RBP has been pushed after it. This happens after a jump to an address
 * without code, at a function's first two instructions, and in leaf functions, which some compilers give no frame even
 * with -fno-omit-frame-pointer.
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
	char label[16];
	size_t count = 0, lines, said;

	if (find_pushed(s, start, &callers[0]))
		count++;
	count += peek_frames(s, start->rbp, callers + count, BACKTRACE_MOST - count);

	lines = line_print_place(print, " #0  ", start->rip, start->rip, most);
	for (size_t i = 0; i < count; i++) {
		size_t first = i;

		format_s(label, sizeof(label), " #%-2zu ", i + 1);
		said = lines < most ? line_print_place(print, label, callers[i], callers[i] - 1, most - lines) : 0;
		if (!said) {
			print(" ...\n");
			return;
		}
		lines += said;
		/*
		 * A recursion could fill all lines with one caller: print it once, and how many more times it follows.
		 */
		while (i + 1 < count && callers[i + 1] == callers[first])
			i++;
		if (i > first && lines++ < most)
			print("     the same %zu more times\n", i - first);
	}
	if (count == BACKTRACE_MOST)
		print(" ...\n");
}
