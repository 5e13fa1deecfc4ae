/*
 * Parses a list of CPUs, such as "1,4-6", into a set. Whether these CPUs exist is not checked here.
 */
#include "kernel/task/cpu_set.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Read a number, and move *at past it; one that is too large for a CPU becomes CPUS_MOST. */
static unsigned take_number(const char **at)
{
	unsigned number = 0;

	for (; is_digit(**at); ++*at) {
		number = number * 10 + (unsigned)(**at - '0');
		if (number > CPUS_MOST)
			number = CPUS_MOST;
	}
	return number;
}

bool cpu_set_parse(const char *text, struct cpu_set *ret)
{
	*ret = (struct cpu_set){ { 0 } };
	do {
		unsigned first, last;

		if (!is_digit(*text))
			return false;
		first = last = take_number(&text);
		if (*text == '-') {
			text++;
			if (!is_digit(*text))
				return false;
			last = take_number(&text);
		}
		if (last < first)
			return false;
		for (unsigned cpu = first; cpu <= last && cpu < CPUS_MOST; cpu++)
			cpu_set_add(ret, cpu);
	} while (*text++ == ',');
	return !text[-1];
}
