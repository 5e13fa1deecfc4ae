/*
 * Waits for children, and reports what has happened to them: wait4(2), waitid(2). ptrace_wait.c does so for tracees.
 */
#include "kernel/arch/cpu.h"
#include "kernel/fs/errno.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/process_wait.h"
#include "kernel/task/ptrace_wait.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/wait_until.h"

/* For whom process_wait() waits. Guard: only the calling task uses it. */
struct wanted {
	int who;                    /* process_wait()'s argument */
	const struct process *only; /* if `who` is a pid: the process that had it when it was looked up; NULL: any */
	unsigned options;
};

/* Return whether the options, and `who` if it names a group, ask for this child. A pid in `who` is not compared. */
static bool is_meant(const struct process *child, const struct wanted *wanted)
{
	const unsigned options = wanted->options;

	/* __WALL: all children. __WCLONE: children whose exit signal is not SIGCHLD. Neither: children with SIGCHLD. */
	if (!(options & WAIT_ALL) && (child->exit_signal != SIGCHLD) != !!(options & WAIT_CLONE))
		return false;
	if (wanted->who > 0 || wanted->who == -1)
		return true;
	return child->group == (wanted->who == 0 ? process_current()->group : -wanted->who);
}

/* Return the most pages that the child, or one of its children, had resident at once. */
static uint64_t most_pages_of(const struct process *child)
{
	return child->most_pages > child->child_most_pages ? child->most_pages : child->child_most_pages;
}

/* Add the child's CPU time, page faults and memory to the sums that the parent keeps for its children. */
static void count_child(struct process *parent, const struct process *child)
{
	usage_add(&parent->children_used, &child->ended);
	usage_add(&parent->children_used, &child->children_used);
	if (most_pages_of(child) > parent->child_most_pages)
		parent->child_most_pages = most_pages_of(child);
}

/*
 * Return whether `child` has ended, stopped or continued, as `options` ask, and the parent was not told yet. Then *ret
 * describes it, and without WAIT_NOWAIT the parent counts as told and a zombie is removed. When false is returned *ret
 * is undefined.
 */
static bool tell(struct process *child, unsigned options, struct wait_result *ret)
{
	bool keep = options & WAIT_NOWAIT;

	*ret = (struct wait_result){ .pid = child->pid,
				     .uid = rights_user_of(child),
				     .status = child->status,
				     .used = child->ended,
				     .most_pages = most_pages_of(child) };
	usage_add(&ret->used, &child->children_used);
	if (child->zombie && (options & WAIT_EXITED)) {
		if (!keep) {
			count_child(process_current(), child);
			process_forget(child);
		}
		return true;
	}
	if (child->stopped && !child->stop_told && (options & WAIT_UNTRACED) && !ptrace_wait_traces(child)) {
		ret->status = child->stop_status;
		child->stop_told = !keep;
		return true;
	}
	if (child->continued && (options & WAIT_CONTINUED)) {
		ret->status = 0xffff;
		child->continued = keep;
		return true;
	}
	return false;
}

/* Return whether the current process has a child for which is_meant() returns true. */
static bool has_child(const struct wanted *wanted)
{
	LIST_EACH(&process_current()->children, struct process, sibling, child)
		if (is_meant(child, wanted))
			return true;
	return false;
}

/* Search for a child for which tell() returns true. Returns its pid; 0: none yet; -ECHILD: there is no such child. */
static int look(const struct wanted *wanted, struct wait_result *ret)
{
	struct process *process = process_current();
	int tid = ptrace_wait_look(wanted->who, wanted->options, ret);

	if (tid)
		return tid;
	if (wanted->who > 0) {
		struct process *child = process_peek(wanted->who);

		if (!child || child->parent != process || !is_meant(child, wanted))
			return ptrace_wait_expects(wanted->who, wanted->options) ? 0 : -ECHILD;
		/* Since the caller looked the process up, it may have ended and its number gone to another one. */
		if (wanted->only && wanted->only != child)
			return -ECHILD;
		return tell(child, wanted->options, ret) ? ret->pid : 0;
	}
	LIST_EACH_LEAVING(&process->news, struct process, in_news, child) {
		/*
		 * If the child's stop or continuation has been reported, or is over, the child has no news: remove it
		 * from the list.
		 */
		if (!child->zombie && !(child->stopped && !child->stop_told) && !child->continued)
			list_remove(&child->in_news);
		else if (is_meant(child, wanted) && tell(child, wanted->options, ret))
			return ret->pid;
	}
	return has_child(wanted) || ptrace_wait_expects(wanted->who, wanted->options) ? 0 : -ECHILD;
}

static int wait(const struct wanted *wanted, struct wait_result *ret)
{
	struct process *process = process_current();
	int result, error;

	result = look(wanted, ret);
	if (result || (wanted->options & WAIT_NO_HANG))
		return result;
	error = WAIT_IN_QUEUE(&process->waiters, (result = look(wanted, ret)) != 0, TASK_NO_DEADLINE);
	return result ? result : error;
}

int process_wait(int who, unsigned options, struct wait_result *ret)
{
	return wait(&(struct wanted){ .who = who, .options = options }, ret);
}

int process_wait_for(const struct process *child, unsigned options, struct wait_result *ret)
{
	return wait(&(struct wanted){ .who = child->pid, .only = child, .options = options }, ret);
}
