/*
 * Sets of pending signals. The callers of all functions here hold signal_lock.
 *
 * Interrupt handlers send signals too (a terminal, a timer) and must not call the heap: so a signal of the kernel
 * without siginfo needs no memory, and structures that an interrupt handler drops are kept in process->signals.spare
 * until a task frees them.
 */
#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/signal_internal.h"

#define SPARE_AT_ONCE 256 /* structures that signal_free_some() frees: 25,000 instructions with interrupts off */

struct lock signal_lock = LOCK_INITIAL(LOCK_SIGNALS);

/* Return a structure for a siginfo; NULL: RLIMIT_SIGPENDING is reached, or there is no memory. */
static struct signal_queued *get_queued(struct process *process, struct signal_set *set)
{
	struct signal_queued *spare = process->signals.spare;

	if (process->signals.queued >= process->limits[LIMIT_SIGPENDING].soft)
		return NULL;
	if (!set->own.info.signal)
		return &set->own;
	if (spare)
		process->signals.spare = spare->next;
	else
		spare = kmalloc(sizeof(*spare));
	if (spare)
		spare->taken = NULL;
	return spare;
}

/* Free a siginfo that has left a set, or tell its owner. ret: the program's copy of it; NULL: no program gets it. */
static void put_queued(struct process *process, struct signal_set *set, struct signal_queued *queued,
		       struct signal_info *ret)
{
	if (likely(queued == &set->own)) {
		process->signals.queued--;
		queued->info.signal = 0;
		return;
	}
	if (queued->taken) {
		queued->taken(queued, ret);
		return;
	}
	process->signals.queued--;
	queued->next = process->signals.spare;
	process->signals.spare = queued;
}

bool signal_free_some(struct process *process)
{
	struct signal_queued *spare;

	for (unsigned left = SPARE_AT_ONCE; left && (spare = process->signals.spare) != NULL; left--) {
		process->signals.spare = spare->next;
		kfree(spare);
	}
	return process->signals.spare;
}

/*
 * Return the address of the pointer to the oldest siginfo of `signal` in the set's list; if there is none, of the
 * list's last pointer, which is NULL.
 */
static struct signal_queued **queue_of(struct signal_set *set, int signal)
{
	struct signal_queued **link = &set->first;

	while (*link && (*link)->info.signal != signal)
		link = &(*link)->next;
	return link;
}

void signal_set_drop(struct process *process, struct signal_set *set, uint64_t mask)
{
	struct signal_queued **link = &set->first, *queued, *same;

	set->pending &= ~mask;
	set->from_kernel &= ~mask;
	while ((queued = *link) != NULL) {
		if (!(SIGNAL_BIT(queued->info.signal) & mask)) {
			link = &queued->next;
			continue;
		}
		*link = queued->next;
		for (; queued; queued = same) {
			same = queued->same;
			put_queued(process, set, queued, NULL);
		}
	}
}

unsigned signal_set_peek(const struct signal_set *set, uint64_t first, struct signal_info *ret, unsigned most)
{
	uint64_t kernels = set->from_kernel, number = 0;
	unsigned count = 0;

	for (const struct signal_queued *oldest = set->first; oldest; oldest = oldest->next)
		for (const struct signal_queued *queued = oldest; queued && count < most; queued = queued->same)
			if (number++ >= first)
				ret[count++] = queued->info;
	for (; kernels && count < most; kernels &= kernels - 1)
		if (number++ >= first)
			ret[count++] =
				(struct signal_info){ .signal = __builtin_ctzll(kernels) + 1, .code = SI_KERNEL };
	return count;
}

/* Add a siginfo to the queue of its number. */
static void set_link(struct signal_set *set, struct signal_queued *queued)
{
	struct signal_queued **link, *oldest;

	queued->same = NULL;
	if (likely(!set->first)) {
		queued->next = NULL;
		queued->last = queued;
		set->first = queued;
		return;
	}
	link = queue_of(set, queued->info.signal);
	oldest = *link;
	if (oldest) {
		oldest->last->same = queued;
		oldest->last = queued;
		return;
	}
	queued->next = NULL;
	queued->last = queued;
	*link = queued;
}

/* Remove and return the oldest siginfo of `signal`; NULL when there is none. *ret_more: there is another one. */
static struct signal_queued *set_unlink(struct signal_set *set, int signal, bool *ret_more)
{
	struct signal_queued **link = queue_of(set, signal), *found = *link, *next;

	*ret_more = found && found->same;
	if (!found)
		return NULL;
	next = found->next;
	if (found->same) {
		found->same->next = next;
		found->same->last = found->last;
		next = found->same;
	}
	*link = next;
	return found;
}

/* Drop the siginfos of one number, the oldest of which is `queued`, that timers have sent. Returns the oldest left. */
static struct signal_queued *drop_timers_of(struct process *process, struct signal_set *set,
					    struct signal_queued *queued)
{
	struct signal_queued *oldest = NULL, *youngest = NULL, *same;

	for (; queued; queued = same) {
		same = queued->same;
		if (queued->info.code == SI_TIMER) {
			put_queued(process, set, queued, NULL);
			continue;
		}
		if (oldest)
			youngest->same = queued;
		else
			oldest = queued;
		youngest = queued;
		youngest->same = NULL;
		oldest->last = youngest;
	}
	return oldest;
}

void signal_set_drop_timers(struct process *process, struct signal_set *set)
{
	struct signal_queued **link = &set->first, *next, *left;

	while (*link) {
		const uint64_t bit = SIGNAL_BIT((*link)->info.signal);

		next = (*link)->next;
		left = drop_timers_of(process, set, *link);
		if (left) {
			left->next = next;
			*link = left;
			link = &left->next;
		} else {
			*link = next;
			set->pending &= ~bit | set->from_kernel;
		}
	}
}

/* The shortest interval of setitimer(2): with one microsecond a program would do nothing but handle signals. */
#define ALARM_PAUSE_NS 100000

/*
 * Start the timer of setitimer(2) again, now that its SIGALRM has been delivered: so a timer whose signal stays pending
 * costs only one interrupt. Expirations in between are lost, as on Linux.
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

int signal_set_take(struct process *process, struct signal_set *set, uint64_t mask, struct signal_info *ret)
{
	uint64_t here = set->pending & mask;
	struct signal_queued *queued;
	bool more = false;
	int signal;

	if (here & SIGNALS_SYNCHRONOUS)
		here &= SIGNALS_SYNCHRONOUS;
	signal = __builtin_ctzll(here) + 1;
	queued = set->first;
	/* Nearly always the signal's siginfo is the only one in the set. */
	if (likely(queued && queued->info.signal == signal && !queued->same))
		set->first = queued->next;
	else
		queued = set_unlink(set, signal, &more);
	if (!more)
		set->pending &= ~SIGNAL_BIT(signal);
	if (queued) {
		*ret = queued->info;
		put_queued(process, set, queued, ret);
	} else {
		*ret = (struct signal_info){ .signal = signal,
					     .code = set->from_kernel & SIGNAL_BIT(signal) ? SI_KERNEL : SI_USER };
	}
	set->from_kernel &= ~SIGNAL_BIT(signal);
	if (signal == SIGALRM && set == &process->signals.set)
		alarm_again(process);
	return signal;
}

/*
 * Add a signal to a set. As on Linux, when there is no room for the siginfo only sigqueue(3) fails; other signals
 * become pending without it. A signal from the kernel with `info` NULL is one bit in `pending` and one in
 * `from_kernel`.
 */
int signal_set_add(struct process *process, struct signal_set *set, int signal, const struct signal_info *info)
{
	bool told = signal >= SIGRTMIN && info && info->code != SI_USER && info->code != SI_KERNEL;
	struct signal_queued *queued;

	if (signal < SIGRTMIN && (set->pending & SIGNAL_BIT(signal)))
		return 0;
	if (!info) {
		set->pending |= SIGNAL_BIT(signal);
		set->from_kernel |= SIGNAL_BIT(signal);
		return 0;
	}
	queued = get_queued(process, set);
	if (!queued && told)
		return -EAGAIN;
	set->pending |= SIGNAL_BIT(signal);
	if (!queued)
		return 0;
	queued->info = *info;
	queued->info.signal = signal;
	set_link(set, queued);
	process->signals.queued++;
	return 0;
}

void signal_set_add_own(struct signal_set *set, struct signal_queued *siginfo)
{
	set->pending |= SIGNAL_BIT(siginfo->info.signal);
	set_link(set, siginfo);
}
