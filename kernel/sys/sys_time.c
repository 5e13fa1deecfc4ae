/*
 * System calls about clocks, sleeping and used CPU time.
 */
#include "kernel/irq/timer.h"
#include "kernel/sys/clock_id.h"
#include "kernel/sys/restart.h"
#include "kernel/sys/timerfd.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/refused_feature.h"
#include "kernel/task/wait_until.h"

#define TIMER_ABSTIME 1
#define TICKS_PER_S   100 /* USER_HZ, the unit of times(2) */

static int64_t put_ns(uint64_t to, uint64_t ns)
{
	struct linux_timespec time = timespec_from_ns(ns);

	return args_put(to, &time, sizeof(time));
}

SYSCALL_2(clock_gettime, id, to)
{
	uint64_t ns;
	int error;

	/* Programs mostly read the monotonic clock: for that one, do without the call of clock_read(). */
	if ((uint32_t)id == CLOCK_MONOTONIC) {
		ns = clock_monotonic_ns();
	} else {
		error = clock_read(id, &ns);
		if (error)
			return error;
	}
	return copy_errno(put_user_pair(user_pointer(to), ns / NS_PER_S, ns % NS_PER_S));
}

/* Do clock_gettime() without the kernel lock, except for clocks of CPU time: the other clocks are read by one word. */
int64_t open_clock_gettime(uint64_t id, uint64_t to, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	return clock_is_cpu_time((uint32_t)id) ? SYSCALL_NEEDS_LOCK : sys_clock_gettime(id, to, c, d, e, f);
}

/* Set the wall clock. Returns 0, -EPERM, -EINVAL (no time that the clock can have, or before the machine's start). */
static int set_wall_clock(uint64_t ns)
{
	if (!rights_can(CAP_SYS_TIME))
		return -EPERM;
	if (ns > WALL_CLOCK_MOST_NS || ns < clock_monotonic_ns())
		return -EINVAL;
	timer_set_wall_clock(ns);
	timerfd_clock_set();
	return 0;
}

SYSCALL_2(clock_settime, id, from)
{
	uint64_t ns;
	int error;

	if ((uint32_t)id != CLOCK_REALTIME)
		return -EINVAL;
	error = args_time(from, &ns);
	return error ? error : set_wall_clock(ns);
}

SYSCALL_2(clock_getres, id, to)
{
	uint64_t ns;
	int error = clock_read(id, &ns);

	if (error || !to)
		return error;
	return put_ns(to, 1);
}

SYSCALL_2(gettimeofday, to, zone)
{
	struct linux_timeval time = timeval_from_ns(clock_realtime_ns());
	static const int32_t utc[2];
	int error = 0;

	if (to)
		error = args_put(to, &time, sizeof(time));
	if (zone && !error)
		error = args_put(zone, utc, sizeof(utc));
	return error;
}

/* Linux's struct timezone. */
struct linux_timezone {
	int32_t minutes_west;
	int32_t summer_time; /* ignored, as on Linux */
};

#define ZONE_MOST 900 /* minutes between a time zone and UTC at most */

/*
 * Check a time zone, which is the kernel's and not a program's: gettimeofday(2), and the vDSO, tell UTC. Returns 0 for
 * UTC, -EPERM, -EINVAL.
 */
static int check_zone(const struct linux_timezone *zone)
{
	if (!rights_can(CAP_SYS_TIME))
		return -EPERM;
	if (zone->minutes_west > ZONE_MOST || zone->minutes_west < -ZONE_MOST)
		return -EINVAL;
	return zone->minutes_west ? refuse_feature(-EINVAL, "settimeofday: a time zone for all programs", 0) : 0;
}

SYSCALL_2(settimeofday, from, zone_from)
{
	struct linux_timeval time;
	struct linux_timezone zone;
	uint64_t ns;
	int error = args_get_if(&time, from, sizeof(time));

	if (!error && from && (uint64_t)time.microseconds >= NS_PER_S / NS_PER_US)
		return -EINVAL;
	if (!error)
		error = args_get_if(&zone, zone_from, sizeof(zone));
	if (!error && from)
		error = timeval_to_ns(&time, &ns);
	if (!error && zone_from)
		error = check_zone(&zone);
	return error || !from ? error : set_wall_clock(ns);
}

SYSCALL_1(time, to)
{
	int64_t seconds = (int64_t)(clock_realtime_ns() / NS_PER_S);
	int error = to ? args_put(to, &seconds, sizeof(seconds)) : 0;

	return error ? error : seconds;
}

/* Sleep until the time `deadline` of `clock`. Returns 0, or -EINTR when a signal comes. */
static int sleep_until(enum timer_clock clock, uint64_t deadline)
{
	int error = WAIT_UNTIL_BY(clock, (clock == TIMER_WALL ? clock_realtime_ns() : clock_monotonic_ns()) >= deadline,
				  deadline);

	return error == -ETIMEDOUT ? 0 : error;
}

/*
 * Sleep until `deadline`. As on Linux, when a signal comes the remaining time is written to user address `rest`, and if
 * no handler runs, as after SIGSTOP and SIGCONT, restart_syscall(2) sleeps on to the same deadline.
 */
static int64_t sleep_on(uint64_t deadline, uint64_t rest)
{
	struct linux_timespec left;
	uint64_t now;
	int error;

	if (!sleep_until(TIMER_MONOTONIC, deadline))
		return 0;
	now = clock_monotonic_ns();
	left = timespec_from_ns(deadline > now ? deadline - now : 0);
	error = args_put_late(rest, &left, sizeof(left));
	if (error)
		return error;
	task_current()->restart = (struct task_restart){ .call = RESTART_SLEEP, .deadline_ns = deadline, .at = rest };
	return -ERESTART_GO_ON;
}

int64_t restart_sleep(const struct task_restart *restart)
{
	return sleep_on(restart->deadline_ns, restart->at);
}

static int64_t sleep_for(uint64_t ns, uint64_t rest)
{
	return sleep_on(deadline_in(ns), rest);
}

SYSCALL_2(nanosleep, from, rest)
{
	uint64_t ns;
	int error = args_time(from, &ns);

	return error ? error : sleep_for(ns, rest);
}

#define LOOK_NS (4 * NS_PER_MS) /* least time between two looks at a clock of CPU time */

/*
 * Sleep until a clock of CPU time says `until`: look again when as much time has passed as is left. Returns 0, -EINVAL
 * (the time of the calling thread itself, which does not pass meanwhile), -EINTR.
 */
static int64_t sleep_by_cpu_time(uint64_t id, uint64_t until, uint64_t flags, uint64_t rest)
{
	struct linux_timespec left;
	uint64_t now = 0;
	int error = clock_is_own_thread((uint32_t)id) ? -EINVAL : 0;

	while (!error) {
		error = clock_read(id, &now);
		if (error || now >= until)
			return error;
		error = WAIT_UNTIL(false, deadline_in(until - now > LOOK_NS ? until - now : LOOK_NS));
		if (error == -ETIMEDOUT)
			error = 0;
	}
	if (error != -EINTR)
		return error;
	/*
	 * On Linux restart_syscall(2) would continue the sleep of a time span. Here the sleep ends, and the rest is
	 * written to `rest`.
	 */
	left = timespec_from_ns(until > now ? until - now : 0);
	error = flags & TIMER_ABSTIME ? 0 : args_put_late(rest, &left, sizeof(left));
	return error ? error : -EINTR;
}

SYSCALL_4(clock_nanosleep, id, flags, from, rest)
{
	uint64_t ns, now;
	int error = clock_read(id, &now);

	if (error)
		return error;
	if (!clock_can_sleep((uint32_t)id))
		return -EOPNOTSUPP;
	error = args_time(from, &ns);
	if (error)
		return error;
	if (clock_is_cpu_time((uint32_t)id))
		return sleep_by_cpu_time(id, flags & TIMER_ABSTIME ? ns : time_add(now, ns), flags, rest);
	if (!(flags & TIMER_ABSTIME))
		return sleep_for(ns, rest);
	return sleep_until((uint32_t)id == CLOCK_REALTIME || (uint32_t)id == CLOCK_TAI ? TIMER_WALL : TIMER_MONOTONIC,
			   ns)
		       ? -ERESTARTNOHAND
		       : 0;
}

/* Do times(2): tell the ticks of user and system time, of the process and of the children that it has waited for. */
SYSCALL_1(times, to)
{
	const struct usage own = process_usage(process_current()), *children = &process_current()->children_used;
	const uint64_t tick = NS_PER_S / TICKS_PER_S;
	const int64_t ticks[4] = { (int64_t)(own.user_ns / tick), (int64_t)(own.system_ns / tick),
				   (int64_t)(children->user_ns / tick), (int64_t)(children->system_ns / tick) };
	int error = to ? args_put(to, ticks, sizeof(ticks)) : 0;

	return error ? error : (int64_t)(clock_monotonic_ns() / tick);
}

SYSCALL_2(getrusage, who, to)
{
	struct process *process = process_current();
	uint64_t most_pages = process_most_pages(process);
	struct linux_rusage rusage;
	struct usage used;

	switch ((int)who) {
	case 0: /* RUSAGE_SELF */
		used = process_usage(process);
		break;
	case -1: /* RUSAGE_CHILDREN */
		used = process->children_used;
		most_pages = process->child_most_pages;
		break;
	case 1: /* RUSAGE_THREAD */
		used = task_usage(task_current());
		break;
	default:
		return -EINVAL;
	}
	rusage = rusage_of(&used, most_pages);
	return args_put(to, &rusage, sizeof(rusage));
}
