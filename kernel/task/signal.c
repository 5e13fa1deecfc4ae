/*
 * Sends signals: chooses the task that gets a signal, and handles stopping and continuing. signal_set.c has the sets of
 * pending signals, signal_deliver.c delivers them on the way to user mode.
 */
#include "kernel/task/signal.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/sched.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/tracee.h"

static size_t stopped_count; /* how many processes are stopped. Guard: signal_lock */

size_t signal_stopped_processes(void)
{
	return stopped_count;
}

/* Drop the pending signals in `mask` of the process and of all its tasks. The caller holds signal_lock. */
static void drop_everywhere(struct process *process, uint64_t mask)
{
	signal_set_drop(process, &process->signals.set, mask);
	PROCESS_EACH_TASK(process, task)
		signal_set_drop(process, &task->signals.set, mask);
}

/* ---- which task gets a signal; callers of the static functions hold signal_lock ---- */

/*
 * Return the signals that interrupt the task: those that it has not blocked, and those that rt_sigtimedwait waits for.
 */
static uint64_t open_to(const struct task *task)
{
	return ~task->signals.blocked | task->signals.waited;
}

void signal_recompute_held(struct task *task)
{
	const struct process *process = task->process;
	const uint64_t pending = task->signals.set.pending | process->signals.set.pending;
	const bool for_signal = pending & open_to(task);

	/* Nearly always all of these are false: then | without branches takes fewer instructions than ||. */
	task->signals.wanted = process->exiting | task->signals.stop_wanted | task->end_wanted |
			       task->signals.restore_blocked | (task->late != NULL) | for_signal;
}

void signal_recompute(struct task *task)
{
	uint64_t flags = lock_take(&signal_lock);

	signal_recompute_held(task);
	lock_release(&signal_lock, flags);
}

void signal_want_return(struct task *task)
{
	uint64_t flags = lock_take(&signal_lock);

	task->signals.wanted = true;
	task_kick(task);
	lock_release(&signal_lock, flags);
}

static void notify(struct task *task)
{
	task->signals.wanted = true;
	task_wake_off(task);
}

/*
 * Return a task of the process, other than `not`, that can get a signal of `mask`: the current task if possible. NULL
 * when all have blocked these signals.
 */
static struct task *pick(const struct process *process, uint64_t mask, const struct task * not )
{
	struct task *current = task_current();

	if (current->process == process && current != not &&(open_to(current) & mask))
		return current;
	PROCESS_EACH_TASK(process, task)
		if (task != not &&task->state != TASK_DEAD && (open_to(task) & mask))
			return task;
	return NULL;
}

/* For each pending signal of the process that `task` now blocks, wake another task that can get it. */
static void pass_on(struct task *task)
{
	struct process *process = task->process;
	uint64_t left = process->signals.set.pending & ~open_to(task);
	struct task *other;

	while (left) {
		uint64_t bit = left & -left;

		left &= ~bit;
		other = pick(process, bit, task);
		if (other)
			notify(other);
	}
}

__attribute__((always_inline)) static inline bool is_ignored(const struct process *process, const struct task *task,
							     int signal)
{
	uint64_t handler = process->signals.actions[signal - 1].handler;
	bool ignored = handler == SIGNAL_IGNORE;

	/* A blocked signal stays pending even if it is ignored now: its action may change before it is unblocked. */
	if (task && (task->signals.blocked & SIGNAL_BIT(signal)))
		return false;
	if (handler == SIGNAL_DEFAULT)
		ignored = process->pid == 1 || (SIGNAL_BIT(signal) & SIGNALS_IGNORED);
	/* The tracer of a task decides about each signal when it is delivered, but for SIGKILL. */
	return ignored && (signal == SIGKILL || !task || !ptrace_is_traced(task));
}

/*
 * Tell the parent that the process has stopped or goes on. With SA_NOCLDSTOP the parent gets no SIGCHLD, but wakes in
 * wait4(2).
 */
static void tell_parent(struct process *process, int code)
{
	struct process *parent = process->parent;

	if (parent && (parent->signals.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		wait_queue_wake(&parent->waiters);
	else
		process_tell_parent_held(process, code);
}

void signal_stop_process(struct process *process, int signal)
{
	uint64_t flags = lock_take(&signal_lock);

	stopped_count += !process->stopped;
	process->stopped = true;
	process->continued = false;
	process->stop_told = false;
	process->stop_status = signal << 8 | 0x7f;
	process_has_news(process);
	/* A task that waits in a system call goes on waiting; each task stops on its way to user mode. */
	PROCESS_EACH_TASK(process, task) {
		task->signals.stop_wanted = task->signals.wanted = true;
		task_kick(task);
		if (unlikely(ptrace_is_traced(task)))
			ptrace_stop_comes_held(task);
	}
	tell_parent(process, CLD_STOPPED);
	lock_release(&signal_lock, flags);
	/*
	 * The parent can learn of the stop only after this CPU has let go of the kernel lock: until then all other
	 * tasks must have left user mode.
	 */
	if (process->task_count > 1)
		context_interrupt(&process->space->context);
}

static void continue_process(struct process *process)
{
	if (!process->stopped)
		return;
	stopped_count--;
	process->stopped = false;
	process->continued = true;
	process_has_news(process);
	PROCESS_EACH_TASK(process, task) {
		task->signals.stop_wanted = false;
		if (unlikely(ptrace_is_traced(task)))
			ptrace_stop_ends_held(task);
		signal_recompute_held(task);
	}
	process_wake_tasks(process);
	tell_parent(process, CLD_CONTINUED);
}

/*
 * Do what a signal does when it is sent, and find out whether it is to become pending: false when it is ignored, or has
 * killed the process. *to: the task that it is for, or NULL; becomes the one that gets it.
 */
__attribute__((always_inline)) static inline bool prepare(struct process *process, struct task **to, int signal)
{
	uint64_t bit = SIGNAL_BIT(signal);

	if (process->zombie || process->exiting) {
		/* As on Linux SIGKILL ends the writing of a core file. */
		if (signal == SIGKILL && process->core)
			process_kill_held(process, SIGKILL);
		return false;
	}
	if (unlikely(bit & SIGNALS_STOPPING))
		drop_everywhere(process, SIGNAL_BIT(SIGCONT));
	if (unlikely(signal == SIGCONT)) {
		drop_everywhere(process, SIGNALS_STOPPING);
		continue_process(process);
	}
	if (!*to)
		*to = pick(process, bit, NULL);
	if (is_ignored(process, *to ? *to : process_any_task(process), signal))
		return false;
	if (signal == SIGKILL)
		process_kill_held(process, SIGKILL);
	return signal != SIGKILL;
}

/* Wake the task `to` for a signal that is pending now. If `to` blocks it or is NULL, wake signalfd(2)'s readers. */
__attribute__((always_inline)) static inline void tell(struct process *process, struct task *to, int signal)
{
	if (likely(to && (open_to(to) & SIGNAL_BIT(signal))))
		notify(to);
	else
		wait_queue_wake(&process->signals.arrivals);
}

/* Send a signal to `task`, or, when that is NULL, to any task of the process. The caller holds signal_lock. */
static int send(struct process *process, struct task *task, int signal, const struct signal_info *info)
{
	struct task *to = task;
	int error;

	if (!prepare(process, &to, signal))
		return 0;
	error = signal_set_add(process, task ? &task->signals.set : &process->signals.set, signal, info);
	if (!error)
		tell(process, to, signal);
	return error;
}

bool signal_send_own_held(struct process *process, struct task *task, struct signal_queued *siginfo)
{
	const int signal = siginfo->info.signal;
	struct task *to = task;

	if (!prepare(process, &to, signal))
		return false;
	signal_set_add_own(task ? &task->signals.set : &process->signals.set, siginfo);
	tell(process, to, signal);
	return true;
}

int signal_send_process_held(struct process *process, int signal, const struct signal_info *info)
{
	lock_assert_held(&signal_lock);
	return send(process, NULL, signal, info);
}

int signal_send_process(struct process *process, int signal, const struct signal_info *info)
{
	uint64_t flags = lock_take(&signal_lock);
	int error = send(process, NULL, signal, info);

	lock_release(&signal_lock, flags);
	return error;
}

int signal_send_task(struct task *task, int signal, const struct signal_info *info)
{
	uint64_t flags = lock_take(&signal_lock);
	int error = task->process ? send(task->process, task, signal, info) : -ESRCH;

	lock_release(&signal_lock, flags);
	return error;
}

/* ---- for system calls ---- */

void signal_set_blocked(uint64_t mask)
{
	struct task *task = task_current();

	lock_take_on(&signal_lock);
	task->signals.blocked = mask & ~SIGNALS_UNSTOPPABLE;
	if (task->process->signals.set.pending)
		pass_on(task);
	signal_recompute_held(task);
	lock_release_on(&signal_lock);
}

static int take(uint64_t mask, struct signal_info *ret)
{
	struct task *task = task_current();
	struct process *process = task->process;
	int signal = 0;

	if (task->signals.set.pending & mask)
		signal = signal_set_take(process, &task->signals.set, mask, ret);
	else if (process->signals.set.pending & mask)
		signal = signal_set_take(process, &process->signals.set, mask, ret);
	if (unlikely(process->signals.spare))
		(void)signal_free_some(process);
	return signal;
}

int signal_take_quietly(uint64_t mask, struct signal_info *ret)
{
	int signal;

	lock_take_on(&signal_lock);
	signal = take(mask, ret);
	lock_release_on(&signal_lock);
	return signal;
}

int signal_take(uint64_t mask, struct signal_info *ret)
{
	uint64_t flags = lock_take(&signal_lock);
	int signal = take(mask, ret);

	signal_recompute_held(task_current());
	lock_release(&signal_lock, flags);
	return signal;
}

void signal_set_waited(uint64_t mask)
{
	struct task *task = task_current();
	uint64_t flags = lock_take(&signal_lock);

	task->signals.waited = mask;
	signal_recompute_held(task);
	lock_release(&signal_lock, flags);
}

void signal_set_action(int signal, const struct signal_action *action)
{
	struct process *process = process_current();
	uint64_t flags = lock_take(&signal_lock);

	process->signals.actions[signal - 1] = *action;
	process->signals.actions[signal - 1].mask &= ~SIGNALS_UNSTOPPABLE;
	if (action->handler == SIGNAL_IGNORE ||
	    (action->handler == SIGNAL_DEFAULT && (SIGNAL_BIT(signal) & SIGNALS_IGNORED)))
		drop_everywhere(process, SIGNAL_BIT(signal));
	lock_release(&signal_lock, flags);
}

/* ---- for fork, exec and exit ---- */

/* The actions of all processes that have ended, which get no signals any more. Nobody changes them. */
static struct signal_action ended_actions[SIGNALS]; /* fixed after boot */

int signal_begin(struct process *process, const struct process *from)
{
	const size_t size = sizeof(ended_actions);
	struct signal_action *actions = kmalloc(size);

	if (!actions)
		return -ENOMEM;
	memcpy(actions, from ? from->signals.actions : ended_actions, size);
	process->signals.actions = actions;
	list_init(&process->signals.timers);
	process->signals.timer_numbers = (struct radix){ .keeps_spare = true, .alloc = kzalloc, .free = kfree };
	wait_queue_init(&process->signals.arrivals);
	wait_queue_init(&process->signals.ended);
	return 0;
}

void signal_end(struct process *process)
{
	struct signal_action *actions = process->signals.actions;
	uint64_t flags = lock_take(&signal_lock);

	process->signals.actions = ended_actions;
	lock_release(&signal_lock, flags);
	/* Epoll files of other processes may still wait for signals of this one, which do not come any more. */
	wait_queue_abandon(&process->signals.arrivals);
	if (actions != ended_actions)
		kfree(actions);
}

void signal_exec(struct process *process)
{
	struct task *task = task_current();
	uint64_t flags = lock_take(&signal_lock);

	for (int i = 0; i < SIGNALS; i++) {
		struct signal_action *action = &process->signals.actions[i];
		uint64_t handler = action->handler == SIGNAL_IGNORE ? SIGNAL_IGNORE : SIGNAL_DEFAULT;

		*action = (struct signal_action){ .handler = handler };
	}
	/* The old program's timers have ended: drop the signals that they have sent, as Linux does. */
	signal_set_drop_timers(process, &process->signals.set);
	signal_set_drop_timers(process, &task->signals.set);
	signal_recompute_held(task);
	lock_release(&signal_lock, flags);
	task->signals.stack_base = task->signals.stack_size = 0;
	task->signals.stack_flags = 0;
}

void signal_drop(struct task *task)
{
	uint64_t flags = lock_take(&signal_lock);

	/* From here on the task takes no signals. */
	task->signals.blocked = ~0ULL;
	task->signals.waited = 0;
	pass_on(task);
	signal_set_drop(task->process, &task->signals.set, ~0ULL);
	lock_release(&signal_lock, flags);
}

void signal_end_stop(struct process *process)
{
	uint64_t flags = lock_take(&signal_lock);

	stopped_count -= process->stopped;
	process->stopped = process->continued = false;
	lock_release(&signal_lock, flags);
}

bool signal_drop_some(struct process *process)
{
	uint64_t flags = lock_take(&signal_lock);
	bool more;

	signal_set_drop(process, &process->signals.set, ~0ULL);
	more = signal_free_some(process);
	lock_release(&signal_lock, flags);
	return more;
}
