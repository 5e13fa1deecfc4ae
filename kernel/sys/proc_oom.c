/*
 * Makes /proc/PID/oom_score and oom_score_adj: which process is killed when memory runs out
 * (kernel/task/out_of_memory.c).
 */
#include "kernel/lib/digit.h"
#include "kernel/sys/proc.h"
#include "kernel/task/memory_score.h"
#include "kernel/task/rights.h"

int proc_make_oom_score(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (!error)
		text_add(ret, "%llu\n", (unsigned long long)memory_score_told(subject.process));
	return error;
}

int proc_make_oom_adjust(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject);

	if (!error)
		text_add(ret, "%d\n", subject.process->memory_adjust);
	return error;
}

/*
 * Set oom_score_adj from text: a number from -1000 to 1000, perhaps with a line end. Returns 0, -EINVAL, -ESRCH, or
 * -EACCES: a lower number than before needs CAP_SYS_RESOURCE.
 */
int proc_take_oom_adjust(struct node *node, const char *bytes, size_t size)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = proc_find_subject(node, &subject), value = 0;
	bool negative = size && *bytes == '-';
	size_t i = size && (*bytes == '-' || *bytes == '+'), first = i;

	if (error)
		return error;
	for (; i < size && digit_value(bytes[i]) < 10 && value <= MEMORY_ADJUST_MOST; i++)
		value = value * 10 + (int)digit_value(bytes[i]);
	if (i == first || value > MEMORY_ADJUST_MOST || (i < size && bytes[i] != '\n'))
		return -EINVAL;
	value = negative ? -value : value;
	if (value < subject.process->memory_adjust && !rights_can(CAP_SYS_RESOURCE))
		return -EACCES;
	subject.process->memory_adjust = value;
	return 0;
}
