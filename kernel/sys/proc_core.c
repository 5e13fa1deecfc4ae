/*
 * /proc/PID/coredump_filter: which areas of memory a process's core file has (core(5)).
 */
#include "kernel/lib/digit.h"
#include "kernel/sys/proc.h"

int proc_make_core_filter(struct node *node, struct text *ret)
{
	HELD_PROCESS struct process *process = proc_find_process(node);

	if (!process)
		return -ESRCH;
	text_add(ret, "%08x\n", process->rights.core_filter);
	return 0;
}

/* Set the filter from text: a number in base 16 behind "0x", in base 8 behind "0", or in base 10. */
int proc_take_core_filter(struct node *node, const char *bytes, size_t size)
{
	HELD_PROCESS struct process *process = proc_find_process(node);
	unsigned base = 10;
	uint64_t value = 0;
	size_t i = 0;

	if (!process)
		return -ESRCH;
	if (size && bytes[size - 1] == '\n')
		size--;
	if (size > 1 && bytes[0] == '0')
		base = (bytes[1] | 0x20) == 'x' ? 16 : 8;
	if (base == 16)
		i = 2;
	if (i == size)
		return -EINVAL;
	for (; i < size; i++) {
		if (digit_value(bytes[i]) >= base)
			return -EINVAL;
		value = value * base + digit_value(bytes[i]);
		if (value > UINT32_MAX)
			return -ERANGE;
	}
	process->rights.core_filter = (uint16_t)(value & CORE_FILTER_MOST);
	return 0;
}
