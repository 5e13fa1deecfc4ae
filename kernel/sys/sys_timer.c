/*
 * System calls of timers that send signals: timer_create(2) and its kin, setitimer(2), alarm(2).
 */
#include "kernel/irq/timer.h"
#include "kernel/sys/clock_id.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/posix_timer.h"
#include "kernel/task/signal_numbers.h"

#define TIMER_ABSTIME 1

/* Linux's struct itimerspec. */
struct timer_spec {
	struct linux_timespec interval, value;
};

/* Linux's struct sigevent. */
struct signal_event {
	uint64_t value;
	int32_t signal;
	int32_t notify;
	int32_t tid;
	int32_t rest[11];
};

_Static_assert(sizeof(struct signal_event) == 64, "Linux's struct sigevent");

/* ---- timer_create(2) ---- */

/* Fill in the clock of a timer that is to be made. Returns 0, -EINVAL, -EOPNOTSUPP (a clock that has no timers). */
static int take_clock(uint32_t id, struct posix_timer_order *order)
{
	struct cpu_clock_owner owner;
	int error;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		order->clock = POSIX_REALTIME;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		order->clock = POSIX_MONOTONIC;
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_REALTIME_COARSE:
		return -EOPNOTSUPP;
	}
	if (!clock_is_cpu_time(id))
		return -EINVAL;
	error = cpu_clock_find(id, &owner);
	if (error)
		return error;
	order->of = owner.process;
	order->task = owner.task;
	if (owner.task)
		order->clock = POSIX_TASK_TIME;
	else
		order->clock = owner.counts == CPU_CLOCK_USER ? POSIX_USER_TIME : POSIX_PROCESS_TIME;
	return 0;
}

/* Fill in what a timer that is to be made does when it expires. Returns 0 or -EINVAL. */
static int take_event(const struct signal_event *event, struct posix_timer_order *order)
{
	order->signal = event->signal;
	order->value = event->value;
	switch (event->notify) {
	case POSIX_NONE:
		order->notify = POSIX_NONE;
		return 0;
	case POSIX_SIGNAL:
	case SIGEV_THREAD:
		order->notify = POSIX_SIGNAL;
		break;
	case POSIX_THREAD_SIGNAL:
		order->notify = POSIX_THREAD_SIGNAL;
		order->to = task_find(event->tid);
		if (!order->to || order->to->process != process_current())
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	return event->signal >= 1 && event->signal <= SIGNALS ? 0 : -EINVAL;
}

static void drop_order(struct posix_timer_order *order)
{
	if (order->to)
		task_put(order->to);
	if (order->task)
		task_put(order->task);
	if (order->of)
		process_put(order->of);
}

SYSCALL_3(timer_create, clock, from, to)
{
	struct signal_event event = { .signal = SIGALRM };
	struct posix_timer_order order = { .value_is_number = !from };
	struct posix_timer *timer;
	int error = args_get_if(&event, from, sizeof(event)), number;

	if (!error)
		error = take_clock((uint32_t)clock, &order);
	if (!error)
		error = take_event(&event, &order);
	number = error ? error : posix_timer_create(&order, &timer);
	if (number < 0) {
		drop_order(&order);
		return number;
	}
	error = args_put(to, &number, sizeof(number));
	if (error)
		posix_timer_delete(timer);
	return error;
}

static struct timer_spec spec_of(struct posix_timer_times times)
{
	return (struct timer_spec){ timespec_from_ns(times.interval), timespec_from_ns(times.left) };
}

SYSCALL_4(timer_settime, number, flags, from, to)
{
	struct posix_timer_times before;
	struct posix_timer *timer;
	uint64_t value, interval;
	struct timer_spec spec;
	int error = from ? args_get(&spec, from, sizeof(spec)) : -EINVAL;

	if (error)
		return error;
	timer = posix_timer_find((int)number);
	if (!timer || timespec_to_ns(&spec.value, &value) || timespec_to_ns(&spec.interval, &interval))
		return -EINVAL;
	before = posix_timer_set(timer, value, interval, flags & TIMER_ABSTIME);
	if (!to)
		return 0;
	spec = spec_of(before);
	return args_put_late(to, &spec, sizeof(spec));
}

SYSCALL_2(timer_gettime, number, to)
{
	struct posix_timer *timer = posix_timer_find((int)number);
	struct timer_spec spec;

	if (!timer)
		return -EINVAL;
	spec = spec_of(posix_timer_get(timer));
	return args_put(to, &spec, sizeof(spec));
}

SYSCALL_1(timer_getoverrun, number)
{
	struct posix_timer *timer = posix_timer_find((int)number);

	return timer ? posix_timer_overrun(timer) : -EINVAL;
}

SYSCALL_1(timer_delete, number)
{
	struct posix_timer *timer = posix_timer_find((int)number);

	if (!timer)
		return -EINVAL;
	posix_timer_delete(timer);
	return 0;
}

/* ---- setitimer(2) and alarm(2) ---- */

enum interval_timer { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

/* Linux's struct itimerval. */
struct itimer {
	struct linux_timeval interval, value;
};

static struct posix_timer_times alarm_now(void)
{
	const struct process *process = process_current();
	struct posix_timer_times times = { .interval = process->signals.alarm_interval_ns };
	uint64_t now = clock_monotonic_ns();

	if (process->alarm.queued)
		times.left = process->alarm.deadline_ns > now ? process->alarm.deadline_ns - now : 1;
	return times;
}

/* Set the timer of ITIMER_REAL. The interval is set before the start, since the timer may fire at once. */
static void set_alarm(uint64_t value_ns, uint64_t interval_ns)
{
	struct process *process = process_current();

	if (!value_ns)
		timer_cancel(&process->alarm);
	signal_set_alarm_interval(process, interval_ns);
	if (value_ns)
		timer_start(&process->alarm, deadline_in(value_ns));
}

/* Return where the pointer to the timer of ITIMER_VIRTUAL or ITIMER_PROF is kept; NULL there: it was never set. */
static struct posix_timer **place_of(enum interval_timer which)
{
	return &process_current()->signals.interval_timers[which - ITIMER_VIRTUAL];
}

static struct posix_timer_times times_of(enum interval_timer which)
{
	if (which == ITIMER_REAL)
		return alarm_now();
	return *place_of(which) ? posix_timer_get(*place_of(which)) : (struct posix_timer_times){ 0 };
}

/* Set an interval timer. Returns 0 or -ENOMEM. */
static int set_times(enum interval_timer which, uint64_t value_ns, uint64_t interval_ns)
{
	struct posix_timer_order order = {
		.clock = which == ITIMER_VIRTUAL ? POSIX_USER_TIME : POSIX_PROCESS_TIME,
		.signal = which == ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF,
		.without_number = true,
	};
	int error = 0;

	if (which == ITIMER_REAL) {
		set_alarm(value_ns, interval_ns);
		return 0;
	}
	if (!*place_of(which)) {
		order.of = process_get(process_current());
		error = posix_timer_create(&order, place_of(which));
		if (error)
			process_put(order.of);
	}
	if (!error)
		(void)posix_timer_set(*place_of(which), value_ns, interval_ns, false);
	return error;
}

/* Show at least 1 microsecond for a timer that runs: 0 would mean that it does not. */
static struct itimer itimer_of(struct posix_timer_times times)
{
	return (struct itimer){ timeval_from_ns(times.interval),
				timeval_from_ns(times.left && times.left < NS_PER_US ? NS_PER_US : times.left) };
}

SYSCALL_2(getitimer, which, to)
{
	struct itimer out;

	if ((uint32_t)which > ITIMER_PROF)
		return -EINVAL;
	out = itimer_of(times_of((enum interval_timer)which));
	return args_put(to, &out, sizeof(out));
}

SYSCALL_3(setitimer, which, from, to)
{
	struct itimer in = { 0 }, old;
	uint64_t value_ns, interval_ns;
	int error = args_get_if(&in, from, sizeof(in));

	if (error)
		return error;
	if ((uint32_t)which > ITIMER_PROF || timeval_to_ns(&in.value, &value_ns) ||
	    timeval_to_ns(&in.interval, &interval_ns))
		return -EINVAL;
	old = itimer_of(times_of((enum interval_timer)which));
	error = set_times((enum interval_timer)which, value_ns, interval_ns);
	return error ? error : args_put_late(to, &old, sizeof(old));
}

SYSCALL_1(alarm, seconds)
{
	struct itimer old = itimer_of(alarm_now());
	int64_t left = old.value.seconds;

	set_alarm((uint32_t)seconds * NS_PER_S, 0);
	/* As on Linux the seconds are rounded, but not to 0 if the timer runs. */
	if (old.value.microseconds >= 500000 || (!left && old.value.microseconds))
		left++;
	return left;
}
