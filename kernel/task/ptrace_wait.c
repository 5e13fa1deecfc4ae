/*
 * Finds, for wait4(2) and waitid(2), a tracee whose stop or end its tracer has not been told of, and reports it. Does
 * not wait itself: wait.c does.
 */
#include "kernel/task/ptrace_wait.h"

#include "kernel/task/find.h"
#include "kernel/task/ptrace.h"
#include "kernel/task/rights.h"

static bool is_meant(const struct tracee *tracee, int who, unsigned options)
{
	const int group = tracee->task ? tracee->task->process->group : tracee->group;

	if (tracee->tracer->process != process_current())
		return false;
	if (options & WAIT_THREADS && tracee->tracer != task_current())
		return false;
	if (who > 0)
		return tracee->tid == who;
	return who == -1 || group == (who == 0 ? process_current()->group : -who);
}

/* Report a tracee, as is described for ptrace_wait_look(). Returns false when it has nothing to report. */
static bool tell(struct tracee *tracee, unsigned options, struct wait_result *ret)
{
	if (tracee->task ? !tracee->code : !(options & WAIT_EXITED))
		return false;
	*ret = (struct wait_result){ .pid = tracee->tid, .uid = tracee->uid, .status = tracee->status };
	if (tracee->task) {
		ret->status = tracee->code << 8 | 0x7f;
		ret->used = task_usage(tracee->task);
		ret->trapped = tracee->task->tracing.info && tracee->code >> 8 != PTRACE_EVENT_STOP;
	}
	if (options & WAIT_NOWAIT)
		return true;
	tracee->code = 0;
	list_remove(&tracee->in_news);
	if (!tracee->task)
		ptrace_forget(tracee);
	return true;
}

int ptrace_wait_look(int who, unsigned options, struct wait_result *ret)
{
	LIST_EACH_LEAVING(&process_current()->trace_news, struct tracee, in_news, tracee)
		if (is_meant(tracee, who, options) && tell(tracee, options, ret))
			return ret->pid;
	return 0;
}

bool ptrace_wait_expects(int who, unsigned options)
{
	const struct task *task = who > 0 ? task_peek(who) : NULL;

	/* Tracees that have ended are among the news until the tracer is told. */
	LIST_EACH(&process_current()->trace_news, struct tracee, in_news, tracee)
		if (is_meant(tracee, who, options))
			return true;
	if (who > 0)
		return task && task->tracing.tracee && is_meant(task->tracing.tracee, who, options);
	PROCESS_EACH_TASK(process_current(), tracer)
		LIST_EACH(&tracer->tracing.tracees, struct tracee, of_tracer, tracee)
			if (is_meant(tracee, who, options))
				return true;
	return false;
}

bool ptrace_wait_traces(const struct process *child)
{
	const struct task *task = process_any_task(child);

	return task && task->tracing.tracee && task->tracing.tracee->tracer->process == process_current();
}
