/*
 * Sending signals, and the sets in which they wait. What they do to who gets them: signal_deliver.c.
 *
 * Signals come from interrupts too (a terminal, a timer): the sets are changed with interrupts off.
 */
#include "kernel/task/signal.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/signal_internal.h"

/* ---- sets; interrupts off ---- */

static struct signal_queued *get_queued(const struct process *process, struct signal_set *set)
{
	if (process->signals.queued >= process->limits[LIMIT_SIGPENDING].soft)
		return NULL;
	return set->own.info.signal ? kmalloc(sizeof(struct signal_queued)) : &set->own;
}

static void put_queued(struct process *process, struct signal_set *set, struct signal_queued *queued)
{
	process->signals.queued--;
	if (queued == &set->own)
		queued->info.signal = 0;
	else
		kfree(queued);
}

/* Drop all that wait in `set` and are in `mask`. */
static void set_drop(struct process *process, struct signal_set *set, uint64_t mask)
{
	struct signal_queued **link = &set->first, *queued;

	set->pending &= ~mask;
	while ((queued = *link) != NULL) {
		if (!(SIGNAL_BIT(queued->info.signal) & mask)) {
			link = &queued->next;
			continue;
		}
		*link = queued->next;
		put_queued(process, set, queued);
	}
}

/* The first that is known of `signal`, or NULL; *ret_more: another of its kind is queued behind it. */
static struct signal_queued *set_unlink(struct signal_set *set, int signal, bool *ret_more)
{
	struct signal_queued **link = &set->first, *found;

	*ret_more = false;
	while (*link && (*link)->info.signal != signal)
		link = &(*link)->next;
	found = *link;
	if (!found)
		return NULL;
	*link = found->next;
	for (struct signal_queued *other = found->next; other; other = other->next)
		*ret_more |= other->info.signal == signal;
	return found;
}

/* A program that asks for an alarm every microsecond must not leave itself nothing but alarms. */
#define ALARM_PAUSE_NS 100000

/*
 * Run for the next time: only now that the last alarm is taken. One that is blocked or never taken costs one interrupt,
 * whatever its interval; the times that it missed are gone, as on Linux.
 */
static void alarm_again(struct process *process)
{
	uint64_t interval = process->signals.alarm_interval_ns;

	if (!interval || process->alarm.queued)
		return;
	if (interval < ALARM_PAUSE_NS)
		interval = ALARM_PAUSE_NS;
	timer_start(&process->alarm, time_next(process->alarm.deadline_ns, interval, clock_monotonic_ns()));
}

/* One that is in `mask`: there is one. */
static int set_take(struct process *process, struct signal_set *set, uint64_t mask, struct signal_info *ret)
{
	uint64_t here = set->pending & mask;
	struct signal_queued *queued;
	bool more;
	int signal;

	if (here & SIGNALS_SYNCHRONOUS)
		here &= SIGNALS_SYNCHRONOUS;
	signal = __builtin_ctzll(here) + 1;
	queued = set_unlink(set, signal, &more);
	if (!more)
		set->pending &= ~SIGNAL_BIT(signal);
	if (queued) {
		*ret = queued->info;
		put_queued(process, set, queued);
	} else {
		*ret = (struct signal_info){ .signal = signal, .code = SI_USER };
	}
	if (signal == SIGALRM && set == &process->signals.set)
		alarm_again(process);
	return signal;
}

/* Linux's: only sigqueue(3) is told that there is no room; the others' signals come without their story. */
static int set_add(struct process *process, struct signal_set *set, int signal, const struct signal_info *info)
{
	bool told = signal >= SIGRTMIN && info && info->code != SI_USER && info->code != SI_KERNEL;
	struct signal_queued *queued, **link = &set->first;

	if (signal < SIGRTMIN && (set->pending & SIGNAL_BIT(signal)))
		return 0;
	queued = get_queued(process, set);
	if (!queued && told)
		return -EAGAIN;
	set->pending |= SIGNAL_BIT(signal);
	if (!queued)
		return 0;
	queued->info = info ? *info : (struct signal_info){ .code = SI_KERNEL };
	queued->info.signal = signal;
	queued->next = NULL;
	while (*link)
		link = &(*link)->next;
	*link = queued;
	process->signals.queued++;
	return 0;
}

static void drop_everywhere(struct process *process, uint64_t mask)
{
	set_drop(process, &process->signals.set, mask);
	for (struct task *task = process->tasks; task; task = task->next_task)
		set_drop(process, &task->signals.set, mask);
}

/* ---- who gets it; interrupts off ---- */

/* Signals that interrupt the task: those that it has not blocked, and those that rt_sigtimedwait waits for. */
static uint64_t open_to(const struct task *task)
{
	return ~task->signals.blocked | task->signals.waited;
}

void signal_recompute(struct task *task)
{
	const struct process *process = task->process;
	uint64_t pending = task->signals.set.pending | process->signals.set.pending;

	task->signals.wanted = process->exiting || process->stopped || task->end_wanted ||
			       task->signals.restore_blocked || (pending & open_to(task));
}

static void notify(struct task *task)
{
	task->signals.wanted = true;
	task_wake(task);
}

/* One task that takes `mask`, rather the one that runs. */
static struct task *pick(const struct process *process, uint64_t mask, const struct task * not )
{
	struct task *current = task_current();

	if (current->process == process && current != not &&(open_to(current) & mask))
		return current;
	for (struct task *task = process->tasks; task; task = task->next_task)
		if (task != not &&task->state != TASK_DEAD && (open_to(task) & mask))
			return task;
	return NULL;
}

/* What waits for the process and `task` takes no longer goes to another. */
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

static bool is_ignored(const struct process *process, const struct task *task, int signal)
{
	uint64_t handler = process->signals.actions[signal - 1].handler;

	/* What is blocked may be wanted by the time that it is no longer. */
	if (task && (task->signals.blocked & SIGNAL_BIT(signal)))
		return false;
	if (handler == SIGNAL_DEFAULT)
		return process->pid == 1 || (SIGNAL_BIT(signal) & SIGNALS_IGNORED);
	return handler == SIGNAL_IGNORE;
}

/* Parents that do not want to hear of it still find it with wait4. */
static void tell_parent(struct process *process, int code)
{
	struct process *parent = process->parent;

	if (parent && (parent->signals.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP))
		wait_queue_wake(&parent->waiters);
	else
		process_tell_parent(process, code);
}

void signal_stop_process(struct process *process, int signal)
{
	process->stopped = true;
	process->continued = false;
	process->stop_told = false;
	process->stop_status = signal << 8 | 0x7f;
	/* Who is blocked stays so: it stops on its way to user mode. */
	for (struct task *task = process->tasks; task; task = task->next_task)
		task->signals.wanted = true;
	tell_parent(process, CLD_STOPPED);
}

static void continue_process(struct process *process)
{
	if (!process->stopped)
		return;
	process->stopped = false;
	process->continued = true;
	for (struct task *task = process->tasks; task; task = task->next_task) {
		signal_recompute(task);
		if (task->state == TASK_STOPPED) {
			task->state = TASK_BLOCKED;
			task_wake(task);
		}
	}
	tell_parent(process, CLD_CONTINUED);
}

/* task: NULL: any of the process. */
static int send(struct process *process, struct task *task, int signal, const struct signal_info *info)
{
	uint64_t bit = SIGNAL_BIT(signal);
	struct task *to = task;
	int error;

	if (process->zombie || process->exiting)
		return 0;
	if (bit & SIGNALS_STOPPING)
		drop_everywhere(process, SIGNAL_BIT(SIGCONT));
	if (signal == SIGCONT) {
		drop_everywhere(process, SIGNALS_STOPPING);
		continue_process(process);
	}
	if (!to)
		to = pick(process, bit, NULL);
	if (is_ignored(process, to ? to : process->tasks, signal))
		return 0;
	if (signal == SIGKILL) {
		process_kill(process, SIGKILL);
		return 0;
	}
	error = set_add(process, task ? &task->signals.set : &process->signals.set, signal, info);
	if (!error && to && (open_to(to) & bit))
		notify(to);
	return error;
}

int signal_send_process(struct process *process, int signal, const struct signal_info *info)
{
	uint64_t flags = irq_guard_enter();
	int error = send(process, NULL, signal, info);

	irq_guard_leave(flags);
	return error;
}

int signal_send_task(struct task *task, int signal, const struct signal_info *info)
{
	uint64_t flags = irq_guard_enter();
	int error = task->process ? send(task->process, task, signal, info) : -ESRCH;

	irq_guard_leave(flags);
	return error;
}

struct group_send {
	int group, signal, error;
	const struct signal_info *info;
};

static bool send_to_member(void *ctx, struct process *process)
{
	struct group_send *sending = ctx;
	int error;

	if (process->group != sending->group)
		return true;
	error = sending->signal ? signal_send_process(process, sending->signal, sending->info) : 0;
	if (sending->error)
		sending->error = error;
	return true;
}

int signal_send_group(int group, int signal, const struct signal_info *info)
{
	struct group_send sending = { group, signal, -ESRCH, info };

	process_visit(send_to_member, &sending);
	return sending.error;
}

void signal_fault(int signal, int code, uint64_t address)
{
	struct task *task = task_current();
	struct process *process = task->process;
	struct signal_info info = { .signal = signal, .code = code, .address = address };
	uint64_t flags = irq_guard_enter();

	if ((task->signals.blocked & SIGNAL_BIT(signal)) ||
	    process->signals.actions[signal - 1].handler <= SIGNAL_IGNORE)
		process_kill(process, signal);
	else if (set_add(process, &task->signals.set, signal, &info) == 0)
		task->signals.wanted = true;
	irq_guard_leave(flags);
}

/* ---- for system calls ---- */

void signal_set_blocked(uint64_t mask)
{
	struct task *task = task_current();
	uint64_t flags = irq_guard_enter();

	task->signals.blocked = mask & ~SIGNALS_UNSTOPPABLE;
	if (task->process->signals.set.pending)
		pass_on(task);
	signal_recompute(task);
	irq_guard_leave(flags);
}

int signal_take_quietly(uint64_t mask, struct signal_info *ret)
{
	struct task *task = task_current();
	struct process *process = task->process;
	uint64_t flags = irq_guard_enter();
	int signal = 0;

	if (task->signals.set.pending & mask)
		signal = set_take(process, &task->signals.set, mask, ret);
	else if (process->signals.set.pending & mask)
		signal = set_take(process, &process->signals.set, mask, ret);
	irq_guard_leave(flags);
	return signal;
}

int signal_take(uint64_t mask, struct signal_info *ret)
{
	uint64_t flags = irq_guard_enter();
	int signal = signal_take_quietly(mask, ret);

	signal_recompute(task_current());
	irq_guard_leave(flags);
	return signal;
}

void signal_set_waited(uint64_t mask)
{
	struct task *task = task_current();
	uint64_t flags = irq_guard_enter();

	task->signals.waited = mask;
	signal_recompute(task);
	irq_guard_leave(flags);
}

void signal_set_action(int signal, const struct signal_action *action)
{
	struct process *process = process_current();
	uint64_t flags = irq_guard_enter();

	process->signals.actions[signal - 1] = *action;
	process->signals.actions[signal - 1].mask &= ~SIGNALS_UNSTOPPABLE;
	if (action->handler == SIGNAL_IGNORE ||
	    (action->handler == SIGNAL_DEFAULT && (SIGNAL_BIT(signal) & SIGNALS_IGNORED)))
		drop_everywhere(process, SIGNAL_BIT(signal));
	irq_guard_leave(flags);
}

void process_alarm_rings(struct timer *timer)
{
	struct process *process = (struct process *)((char *)timer - offsetof(struct process, alarm));

	signal_send_process(process, SIGALRM, NULL);
}

/* ---- for fork, exec and exit ---- */

void signal_copy(struct process *to, const struct process *from)
{
	memcpy(to->signals.actions, from->signals.actions, sizeof(to->signals.actions));
}

void signal_exec(struct process *process)
{
	struct task *task = task_current();
	uint64_t flags = irq_guard_enter();

	for (int i = 0; i < SIGNALS; i++) {
		struct signal_action *action = &process->signals.actions[i];
		uint64_t handler = action->handler == SIGNAL_IGNORE ? SIGNAL_IGNORE : SIGNAL_DEFAULT;

		*action = (struct signal_action){ .handler = handler };
	}
	irq_guard_leave(flags);
	task->signals.stack_base = task->signals.stack_size = 0;
	task->signals.stack_flags = 0;
}

void signal_drop(struct task *task)
{
	uint64_t flags = irq_guard_enter();

	/* From here on it takes nothing. */
	task->signals.blocked = ~0ULL;
	task->signals.waited = 0;
	pass_on(task);
	set_drop(task->process, &task->signals.set, ~0ULL);
	irq_guard_leave(flags);
}

void signal_drop_process(struct process *process)
{
	uint64_t flags = irq_guard_enter();

	set_drop(process, &process->signals.set, ~0ULL);
	irq_guard_leave(flags);
}
