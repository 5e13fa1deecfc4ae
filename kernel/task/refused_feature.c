/*
 * Logs the features that system calls refuse, each once.
 */
#include "kernel/task/refused_feature.h"

#include "kernel/lib/log.h"
#include "kernel/task/task.h"

#define TOLD_MOST 64

/* The features that were logged. Guard: tasks only, which the kernel does not preempt. */
static struct {
	const char *what;
	uint64_t value;
} told[TOLD_MOST];

/* How many entries of `told` there are. Guard: tasks only, which the kernel does not preempt. */
static unsigned told_count;

int refuse_feature(int error, const char *what, uint64_t value)
{
	const struct task *task = task_current();

	for (unsigned i = 0; i < told_count; i++)
		if (told[i].what == what && told[i].value == value)
			return error;
	if (told_count == TOLD_MOST)
		return error;
	told[told_count].what = what;
	told[told_count++].value = value;
	if (value)
		log_info("%s[%d]: %s is not there: %#llx\n", task->name, task->tid, what, (unsigned long long)value);
	else
		log_info("%s[%d]: %s is not there\n", task->name, task->tid, what);
	return error;
}
