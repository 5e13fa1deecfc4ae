/*
 * Makes /proc/PID/timerslack_ns: by how much a task's timers may be late (prctl(2), PR_SET_TIMERSLACK).
 */
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/task/rights.h"

/*
 * Find the task of a node. Returns 0, -ESRCH, or -EPERM: the task is not the current one, which lacks CAP_SYS_NICE. The
 * caller drops *subject after an error, too.
 */
static int find(struct node *node, struct proc_subject *subject)
{
	int error = proc_find_subject(node, subject);

	if (error)
		return error;
	if (!subject->task)
		return -ESRCH;
	return subject->task != task_current() && !rights_can(CAP_SYS_NICE) ? -EPERM : 0;
}

int proc_make_slack(struct node *node, struct text *ret)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	int error = find(node, &subject);

	if (!error)
		text_add(ret, "%llu\n", (unsigned long long)subject.task->slack_ns);
	return error;
}

int proc_take_slack(struct node *node, const char *bytes, size_t size)
{
	HELD_SUBJECT struct proc_subject subject = { 0 };
	uint64_t ns;
	int error = number_file_take(bytes, size, UINT64_MAX, &ns);

	if (!error)
		error = find(node, &subject);
	if (!error)
		subject.task->slack_ns = ns ? ns : subject.task->slack_default_ns;
	return error;
}
