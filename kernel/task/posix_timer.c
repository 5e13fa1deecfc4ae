/*
 * Makes, sets and deletes the timers of a process (timer_create(2), setitimer(2)), and sends their signals when they
 * expire. posix_timer.h says how a timer rests while its signal is pending.
 */
#include "kernel/task/posix_timer.h"

#include "kernel/arch/cpus.h"
#include "kernel/fs/errno.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/find.h"
#include "kernel/task/signal_internal.h"

#define ENDS_AT_ONCE 256              /* timers that posix_timers_end_some() deletes */
#define PAUSE_NS     100000           /* least time between two signals, whatever interval the program asks for */
#define IGNORED_NS   (10 * NS_PER_MS) /* least time between two expirations if the signal is ignored */
#define LOOK_NS      (4 * NS_PER_MS)  /* least time between two looks at a clock of CPU time; as long as Linux's tick */

/* Guard of fields that say nothing else: signal_lock, since timers fire in interrupt handlers. */
struct posix_timer {
	struct timer timer;            /* must be the first member; guard: the lock of kernel/irq/timer.c */
	struct signal_queued *siginfo; /* what becomes pending; a heap block. NULL if order.without_number is set */
	bool pending;                  /* `siginfo` is in a set of pending signals */
	bool waits;                    /* the timer is started for its next interval when `siginfo` is taken */
	bool runs;                     /* the timer has been set, and has not expired for the last time */
	uint64_t repeats;              /* expirations since `siginfo` became pending, after the timer was set anew */
	struct process *process; /* whose timer it is; the process deletes it before it ends. Fixed when it is made */
	struct posix_timer_order order; /* fixed when it is made */
	int number;                     /* 0 for a timer without one. Fixed when it is made */
	uint64_t expires_ns;            /* by the timer's clock: when it expires, or has expired and is pending */
	uint64_t interval_ns;
	uint64_t overrun;    /* of the signal that was taken last */
	struct link in_list; /* in process->signals.timers */
};

static bool is_cpu_time(const struct posix_timer *timer)
{
	return timer->order.clock >= POSIX_TASK_TIME;
}

static uint64_t now_by(const struct posix_timer *timer)
{
	switch (timer->order.clock) {
	case POSIX_MONOTONIC:
		break;
	case POSIX_REALTIME:
		return clock_realtime_ns();
	case POSIX_TASK_TIME:
		return task_run_ns(timer->order.task);
	case POSIX_PROCESS_TIME:
		return process_run_ns(timer->order.of);
	case POSIX_USER_TIME:
		return process_usage(timer->order.of).user_ns;
	}
	return clock_monotonic_ns();
}

/*
 * Have fire() called at expires_ns or, for a clock of CPU time, at the earliest moment at which the clock can have
 * reached expires_ns. The caller holds signal_lock.
 */
static void start(struct posix_timer *timer)
{
	uint64_t now, left;

	if (timer->order.notify == POSIX_NONE)
		return;
	if (timer->order.clock == POSIX_REALTIME) {
		timer_start_wall(&timer->timer, timer->expires_ns);
	} else if (!is_cpu_time(timer)) {
		timer_start(&timer->timer, timer->expires_ns);
	} else {
		now = now_by(timer);
		left = timer->expires_ns > now ? timer->expires_ns - now : 0;
		/* The tasks of a process may run on all CPUs at once: then its CPU time passes that much faster. */
		if (timer->order.clock != POSIX_TASK_TIME)
			left /= cpu_count;
		timer_start(&timer->timer, time_add(clock_monotonic_ns(), left > LOOK_NS ? left : LOOK_NS));
	}
}

/* Start the timer for its next expiration, at least `pause` ns from now. Returns how many expirations are left out. */
static uint64_t start_next(struct posix_timer *timer, uint64_t pause)
{
	uint64_t now = now_by(timer), passed = time_intervals(timer->expires_ns, timer->interval_ns, now);

	timer->expires_ns = time_add_times(timer->expires_ns, passed + 1, timer->interval_ns);
	if (timer->expires_ns < time_add(now, pause) && timer->interval_ns < pause)
		timer->expires_ns = time_add(now, pause);
	start(timer);
	return passed;
}

static int overrun_to_user(uint64_t overrun)
{
	return overrun > INT32_MAX ? INT32_MAX : (int)overrun;
}

/*
 * Start a timer with an interval again, since its signal has left a set of pending signals. ret: the siginfo that the
 * program gets; NULL: the signal was dropped. The caller holds signal_lock.
 */
static void taken(struct signal_queued *siginfo, struct signal_info *ret)
{
	struct posix_timer *timer = siginfo->owner;

	timer->pending = false;
	if (timer->waits) {
		timer->waits = false;
		timer->overrun = start_next(timer, PAUSE_NS);
	}
	if (ret)
		ret->timer.overrun = overrun_to_user(timer->overrun + timer->repeats);
}

/*
 * Send the timer's signal. Returns whether timer->siginfo is pending now. A timer that was set anew may expire while
 * the signal of an earlier expiration is pending: the siginfo cannot be added to a set twice, so the expiration is only
 * counted, as on Linux. The caller holds signal_lock.
 */
static bool send(struct posix_timer *timer)
{
	struct task *to = timer->order.to;

	if (timer->pending) {
		timer->repeats++;
		return true;
	}
	timer->repeats = 0;
	if (to && to->process != timer->process)
		return false;
	if (!timer->siginfo) {
		(void)signal_send_process_held(timer->process, timer->order.signal, NULL);
		return false;
	}
	timer->siginfo->info = (struct signal_info){
		.signal = timer->order.signal,
		.code = SI_TIMER,
		.timer = { .timer = timer->number,
			   .value = timer->order.value_is_number ? (uint64_t)timer->number : timer->order.value },
	};
	return signal_send_own_held(timer->process, to, timer->siginfo);
}

static void fire(struct timer *fired)
{
	struct posix_timer *timer = (struct posix_timer *)fired;
	uint64_t flags = lock_take(&signal_lock);

	if (is_cpu_time(timer) && now_by(timer) < timer->expires_ns) {
		start(timer);
	} else {
		timer->pending = send(timer);
		if (!timer->interval_ns)
			timer->runs = false;
		else if (!timer->pending)
			(void)start_next(timer, timer->siginfo ? IGNORED_NS : PAUSE_NS);
		timer->waits = timer->pending && timer->interval_ns;
	}
	lock_release(&signal_lock, flags);
}

_Static_assert(offsetof(struct posix_timer, timer) == 0, "fire");

/*
 * Give the timer a number: as on Linux the one behind the last that was given, and after the greatest one the least
 * that is free. Returns 0 or -ENOMEM.
 */
static int take_number(struct process_signals *signals, struct posix_timer *timer)
{
	uint32_t number = radix_next_free(&signals->timer_numbers, signals->next_timer);

	if (number > INT32_MAX)
		number = radix_next_free(&signals->timer_numbers, 0);
	if (radix_insert(&signals->timer_numbers, number, timer) != OK)
		return -ENOMEM;
	timer->number = (int)number;
	signals->next_timer = number + 1;
	return 0;
}

int posix_timer_create(const struct posix_timer_order *order, struct posix_timer **ret)
{
	struct process *process = process_current();
	struct process_signals *signals = &process->signals;
	struct posix_timer *timer = kmalloc(sizeof(*timer));
	struct signal_queued *siginfo = NULL;
	int error = -EAGAIN;
	uint64_t flags;

	if (!timer)
		return -ENOMEM;
	*timer = (struct posix_timer){ .timer = { .fire = fire }, .process = process, .order = *order };
	/*
	 * As on Linux RLIMIT_SIGPENDING limits the number of timers: each counts as a pending signal, even a silent
	 * one.
	 */
	if (!order->without_number) {
		siginfo = signals->queued < process->limits[LIMIT_SIGPENDING].soft ? kmalloc(sizeof(*siginfo)) : NULL;
		if (!siginfo)
			goto free_timer;
		*siginfo = (struct signal_queued){ .taken = taken, .owner = timer };
		timer->siginfo = siginfo;
	}
	error = order->without_number ? 0 : take_number(signals, timer);
	if (error)
		goto free_siginfo;
	flags = lock_take(&signal_lock);
	signals->queued += siginfo != NULL;
	list_add_last(&signals->timers, &timer->in_list);
	lock_release(&signal_lock, flags);
	*ret = timer;
	return timer->number;

free_siginfo:
	kfree(siginfo);
free_timer:
	kfree(timer);
	return error;
}

struct posix_timer *posix_timer_find(int number)
{
	return number < 0 ? NULL : radix_find(&process_current()->signals.timer_numbers, (uint32_t)number);
}

static void delete (struct posix_timer *timer)
{
	struct process *process = timer->process;
	struct signal_queued *siginfo = timer->siginfo;
	uint64_t flags;

	if (siginfo)
		(void)radix_remove(&process->signals.timer_numbers, (uint32_t)timer->number);
	/*
	 * Hold the lock: as long as the siginfo has this timer as its owner, taking or dropping the signal starts the
	 * timer again (taken()).
	 */
	flags = lock_take(&signal_lock);
	timer_cancel(&timer->timer);
	list_remove(&timer->in_list);
	/* A siginfo that is pending outlives the timer: it is counted in `queued`, and freed when it is taken. */
	if (timer->pending) {
		siginfo->taken = NULL;
		siginfo = NULL;
	} else if (siginfo) {
		process->signals.queued--;
	}
	lock_release(&signal_lock, flags);
	kfree(siginfo);
	if (timer->order.to)
		task_put(timer->order.to);
	if (timer->order.task)
		task_put(timer->order.task);
	if (timer->order.of)
		process_put(timer->order.of);
	kfree(timer);
}

void posix_timer_delete(struct posix_timer *timer)
{
	delete (timer);
}

/* Return the time that is left, and the interval. The caller holds signal_lock. */
static struct posix_timer_times times_of(const struct posix_timer *timer)
{
	uint64_t now, at = timer->expires_ns;

	if (!timer->runs && !timer->interval_ns && timer->order.notify != POSIX_NONE)
		return (struct posix_timer_times){ 0 };
	now = now_by(timer);
	if (timer->interval_ns && at <= now)
		at = time_next(at, timer->interval_ns, now);
	if (!timer->runs || (timer->order.notify == POSIX_NONE && at <= now))
		return (struct posix_timer_times){ .interval = timer->interval_ns };
	/* At least 1 ns is left, since 0 means that the timer does not run. */
	return (struct posix_timer_times){ .left = at > now ? at - now : 1, .interval = timer->interval_ns };
}

struct posix_timer_times posix_timer_set(struct posix_timer *timer, uint64_t value, uint64_t interval, bool absolute)
{
	struct posix_timer_times before;
	uint64_t flags;

	flags = lock_take(&signal_lock);
	timer_cancel(&timer->timer);
	before = times_of(timer);
	timer->runs = value;
	timer->waits = false;
	timer->overrun = 0;
	timer->interval_ns = interval;
	timer->expires_ns = absolute ? value : time_add(now_by(timer), value);
	/* As on Linux, setting the wall clock does not change when a relative time by it ends. */
	if (value && !absolute && timer->order.clock == POSIX_REALTIME && timer->order.notify != POSIX_NONE)
		timer_start(&timer->timer, time_add(clock_monotonic_ns(), value));
	else if (value)
		start(timer);
	lock_release(&signal_lock, flags);
	return before;
}

struct posix_timer_times posix_timer_get(struct posix_timer *timer)
{
	uint64_t flags = lock_take(&signal_lock);
	struct posix_timer_times times = times_of(timer);

	lock_release(&signal_lock, flags);
	return times;
}

int posix_timer_overrun(const struct posix_timer *timer)
{
	return overrun_to_user(timer->overrun);
}

bool posix_timers_end_some(struct process *process)
{
	struct process_signals *signals = &process->signals;

	signals->interval_timers[0] = signals->interval_timers[1] = NULL;
	for (unsigned left = ENDS_AT_ONCE; left && !list_is_empty(&signals->timers); left--)
		delete (list_item(signals->timers.next, struct posix_timer, in_list));
	if (!list_is_empty(&signals->timers))
		return true;
	radix_destroy(&signals->timer_numbers);
	return false;
}

/* ---- ITIMER_REAL ---- */

void signal_set_alarm_interval(struct process *process, uint64_t ns)
{
	uint64_t flags = lock_take(&signal_lock);

	process->signals.alarm_interval_ns = ns;
	lock_release(&signal_lock, flags);
}

void process_alarm_rings(struct timer *timer)
{
	struct process *process = (struct process *)((char *)timer - offsetof(struct process, alarm));

	signal_send_process(process, SIGALRM, NULL);
}
