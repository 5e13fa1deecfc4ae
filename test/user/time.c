/*
 * Tests clock_gettime, clock_settime, clock_getres, nanosleep, clock_nanosleep, gettimeofday, times, getrusage and
 * setitimer, waits by the wall clock, and adjtimex. No check depends on speed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL  ((void *)(-1UL << 31))
#define BILLION 1000000000L

#define FUTEX_WAIT_BITSET    9
#define FUTEX_CLOCK_REALTIME 256

static long nanoseconds(const struct timespec *time)
{
	return time->tv_sec * BILLION + time->tv_nsec;
}

static long now(int clock)
{
	struct timespec time = { 0, 0 };

	if (sys(SYS_clock_gettime, clock, &time) != 0)
		bail("clock_gettime", clock);
	return nanoseconds(&time);
}

static void test_clocks(void)
{
	struct timespec time = { -1, -1 };
	struct timeval day = { -1, -1 };
	long last = 0, backwards = 0, moved = 0;

	is(sys(SYS_clock_gettime, CLOCK_MONOTONIC, &time), 0, "clock_gettime(CLOCK_MONOTONIC)");
	is_between(time.tv_nsec, 0, BILLION - 1, "has less than a second of nanoseconds");
	is_true(time.tv_sec >= 0, time.tv_sec, "and counts up from boot");
	for (int i = 0; i < 10000; i++) {
		long next = now(CLOCK_MONOTONIC);

		backwards += next < last;
		moved += next > last;
		last = next;
	}
	is(backwards, 0, "it never goes backwards");
	is_true(moved > 1, moved, "but forwards");
	is(sys(SYS_clock_gettime, CLOCK_REALTIME, &time), 0, "clock_gettime(CLOCK_REALTIME)");
	is_true(time.tv_sec > 1577836800, time.tv_sec, "is after 2020");
	is(sys(SYS_gettimeofday, &day, NULL), 0, "gettimeofday");
	is_between(day.tv_usec, 0, 999999, "has less than a second of microseconds");
	is_true(day.tv_sec >= time.tv_sec, day.tv_sec, "and is not before CLOCK_REALTIME of before");
	is(sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time), 0, "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)");
	is(sys(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &time), 0, "clock_gettime(CLOCK_THREAD_CPUTIME_ID)");
	is(sys(SYS_clock_gettime, CLOCK_BOOTTIME, &time), 0, "clock_gettime(CLOCK_BOOTTIME)");
	is(sys(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &time), 0, "clock_gettime(CLOCK_MONOTONIC_RAW)");
	is(sys(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &time), 0, "clock_gettime(CLOCK_MONOTONIC_COARSE)");
	is(sys(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &time), 0, "clock_gettime(CLOCK_REALTIME_COARSE)");
	is(sys(SYS_clock_gettime, 77, &time), -EINVAL, "clock_gettime of a clock that is none");
	is(sys(SYS_clock_gettime, CLOCK_MONOTONIC, NULL), -EFAULT, "clock_gettime to NULL");
	is(sys(SYS_clock_gettime, CLOCK_MONOTONIC, KERNEL), -EFAULT, "clock_gettime to a kernel address");
	is(sys(SYS_gettimeofday, KERNEL, NULL), -EFAULT, "gettimeofday to a kernel address");
	is(sys(SYS_gettimeofday, NULL, NULL), 0, "gettimeofday to nowhere");
}

static void test_resolution(void)
{
	struct timespec time = { -1, -1 };

	is(sys(SYS_clock_getres, CLOCK_MONOTONIC, &time), 0, "clock_getres");
	is_between(nanoseconds(&time), 1, BILLION, "is between a nanosecond and a second");
	is(sys(SYS_clock_getres, CLOCK_MONOTONIC, NULL), 0, "clock_getres to nowhere");
	is(sys(SYS_clock_getres, 77, &time), -EINVAL, "clock_getres of a clock that is none");
	is(sys(SYS_clock_getres, CLOCK_REALTIME, KERNEL), -EFAULT, "clock_getres to a kernel address");
}

static void test_sleep(void)
{
	struct timespec pause = { 0, 20000000 }, bad = { 0, BILLION }, negative = { -1, 0 }, until;
	long before = now(CLOCK_MONOTONIC);

	is(sys(SYS_nanosleep, &pause, NULL), 0, "nanosleep");
	is_true(now(CLOCK_MONOTONIC) - before >= 20000000, now(CLOCK_MONOTONIC) - before, "takes its time");
	before = now(CLOCK_MONOTONIC);
	is(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL), 0, "clock_nanosleep");
	is_true(now(CLOCK_MONOTONIC) - before >= 20000000, now(CLOCK_MONOTONIC) - before, "takes its time");
	before = now(CLOCK_MONOTONIC) + 15000000;
	until = (struct timespec){ before / BILLION, before % BILLION };
	is(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0, "clock_nanosleep until a time");
	is_true(now(CLOCK_MONOTONIC) >= before, now(CLOCK_MONOTONIC) - before, "which has come");
	is(sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0, "and at once when it is past");
	before = now(CLOCK_REALTIME) + 5000000;
	until = (struct timespec){ before / BILLION, before % BILLION };
	is(sys(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0, "by the wall clock");
	is_true(now(CLOCK_REALTIME) >= before, now(CLOCK_REALTIME) - before, "which has come too");
	pause = (struct timespec){ 0, 0 };
	is(sys(SYS_nanosleep, &pause, NULL), 0, "nanosleep of nothing");
	is(sys(SYS_nanosleep, &bad, NULL), -EINVAL, "nanosleep of a second in nanoseconds");
	is(sys(SYS_nanosleep, &negative, NULL), -EINVAL, "nanosleep of a negative time");
	is(sys(SYS_nanosleep, NULL, NULL), -EFAULT, "nanosleep of NULL");
	is(sys(SYS_nanosleep, KERNEL, NULL), -EFAULT, "nanosleep from a kernel address");
	is(sys(SYS_clock_nanosleep, 77, 0, &pause, NULL), -EINVAL, "clock_nanosleep by a clock that is none");
}

static void test_usage(void)
{
	struct rusage usage = { .ru_utime = { -1, -1 } };
	struct tms ticks = { -1, -1, -1, -1 };

	is(sys(SYS_getrusage, RUSAGE_SELF, &usage), 0, "getrusage of oneself");
	is_between(usage.ru_utime.tv_usec, 0, 999999, "has less than a second of microseconds");
	is_true(usage.ru_utime.tv_sec >= 0 && usage.ru_stime.tv_sec >= 0, usage.ru_utime.tv_sec, "and whole seconds");
	is(sys(SYS_getrusage, RUSAGE_CHILDREN, &usage), 0, "getrusage of the children");
	is(sys(SYS_getrusage, 77, &usage), -EINVAL, "getrusage of whom");
	is(sys(SYS_getrusage, RUSAGE_SELF, KERNEL), -EFAULT, "getrusage to a kernel address");
	is_true(sys(SYS_times, &ticks) >= 0 || sys(SYS_times, NULL) < -4095, sys(SYS_times, NULL), "times");
	is_true(ticks.tms_utime >= 0 && ticks.tms_cstime >= 0, ticks.tms_utime, "fills in its counts");
	is(sys(SYS_times, KERNEL), -EFAULT, "times to a kernel address");
}

/* ---- the wall clock is set ---- */

static struct timespec wall_in(long seconds)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_REALTIME, &time);
	time.tv_sec += seconds;
	return time;
}

static void jump(long seconds)
{
	struct timespec time = wall_in(seconds);

	is(sys(SYS_clock_settime, CLOCK_REALTIME, &time), 0, "clock_settime");
}

static void test_settings(void)
{
	static const struct timespec bad[] = { { INT64_MAX, 0 }, { 18446744073, 0 }, { 8277292036, 0 },
					       { 0, 0 },         { -1, 0 },          { 1800000000, BILLION } };
	long before = now(CLOCK_REALTIME);

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is(sys(SYS_clock_settime, CLOCK_REALTIME, &bad[i]), -EINVAL, "clock_settime to a time that is none");
	is_between(now(CLOCK_REALTIME) - before, 0, 100 * BILLION, "changes nothing");
	is(sys(SYS_clock_settime, CLOCK_MONOTONIC, &bad[3]), -EINVAL, "clock_settime of the monotonic clock");
}

/*
 * The wall-clock time at which the children of end_of() wake. It is set before the clock jumps, however late a child
 * begins to run.
 */
static struct timespec wall_end;

static int sleep_by_the_wall(void)
{
	return sys(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &wall_end, NULL) == 0 ? 7 : 1;
}

static int futex_by_the_wall(void)
{
	int word = 0;
	long result = sys(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &wall_end, NULL, -1);

	return result == -ETIMEDOUT ? 7 : 1;
}

/*
 * Let a child wait by the wall clock, and let that clock jump over the time. Returns the child's wait status, or -1: it
 * still waits.
 */
static int end_of(int (*wait_in_child)(void))
{
	struct timespec moment = { 0, 10000000 };
	int status, pid;
	long ended = 0;

	wall_end = wall_in(1000);
	pid = fork();
	if (pid == 0)
		_exit(wait_in_child());
	/* Mostly the child is asleep by now; otherwise it sees that the time has come. */
	sys(SYS_nanosleep, &moment, NULL);
	jump(2000);
	for (int i = 0; i < 500 && !ended; i++) {
		ended = sys(SYS_wait4, pid, &status, WNOHANG, NULL);
		sys(SYS_nanosleep, &moment, NULL);
	}
	if (ended)
		return WEXITSTATUS(status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static long wait_readable(int fd, int timeout_ms)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };

	return sys(SYS_poll, &item, 1, timeout_ms);
}

static void test_wall_timers(void)
{
	int fd = (int)sys(SYS_timerfd_create, CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec spec = { .it_value = wall_in(1000) }, left;
	uint64_t count = 0;

	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, NULL), 0, "a timer by the wall clock");
	is(sys(SYS_read, fd, &count, 8), -EAGAIN, "that is a thousand seconds away");
	jump(2000);
	is(wait_readable(fd, 5000), 1, "rings when the clock passes it");
	is(sys(SYS_read, fd, &count, 8), 8, "and is read");
	is((long)count, 1, "once");

	spec = (struct itimerspec){ .it_value = { 1000, 0 } };
	is(sys(SYS_timerfd_settime, fd, 0, &spec, NULL), 0, "one from now on");
	jump(2000);
	is(sys(SYS_timerfd_gettime, fd, &left), 0, "does not move");
	is_between(left.it_value.tv_sec, 900, 1000, "with the clock");

	spec = (struct itimerspec){ .it_value = wall_in(100), .it_interval = { 100, 0 } };
	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, NULL), 0, "an interval by the wall clock");
	jump(350);
	is(wait_readable(fd, 5000), 1, "rings when the clock passes it");
	is(sys(SYS_read, fd, &count, 8), 8, "and tells");
	is((long)count, 3, "how often it has passed");

	spec = (struct itimerspec){ .it_value = wall_in(1000) };
	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL), 0,
	   "a timer that is cancelled");
	jump(1);
	is(wait_readable(fd, 0), 1, "can be read as soon as the clock is set");
	is(sys(SYS_read, fd, &count, 8), -ECANCELED, "and says so");
	is(sys(SYS_read, fd, &count, 8), -EAGAIN, "once");
	jump(1);
	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL), -ECANCELED,
	   "who sets it anew hears of it too");
	is(sys(SYS_read, fd, &count, 8), -EAGAIN, "once");
	is(sys(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &spec, NULL), 0, "without the flag");
	jump(1);
	is(wait_readable(fd, 0), 0, "nobody is told");
	close(fd);
}

/* Check that a stop and a continuation do not end a timed wait. */
static int futex_until(void)
{
	struct timespec until;
	int word = 0;

	sys(SYS_clock_gettime, CLOCK_MONOTONIC, &until);
	until.tv_nsec += 200000000;
	if (until.tv_nsec >= BILLION) {
		until.tv_nsec -= BILLION;
		until.tv_sec++;
	}
	return sys(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &until, NULL, -1) == -ETIMEDOUT ? 7 : 1;
}

static void test_select(void)
{
	struct timeval much = { -1, 1000001 }, negative = { 0, -1 }, borrowed = { 1, -1000000 };

	is(sys(SYS_select, 0, NULL, NULL, NULL, &much), 0, "select takes more than a second of microseconds");
	is(sys(SYS_select, 0, NULL, NULL, NULL, &negative), -EINVAL, "but none that are negative");
	is(sys(SYS_select, 0, NULL, NULL, NULL, &borrowed), 0, "unless whole seconds of them are");
}

static void test_stop(void)
{
	struct timespec moment = { 0, 30000000 };
	int status, pid = fork();

	if (pid == 0)
		_exit(futex_until());
	sys(SYS_nanosleep, &moment, NULL);
	sys(SYS_kill, pid, SIGSTOP);
	sys(SYS_nanosleep, &moment, NULL);
	sys(SYS_kill, pid, SIGCONT);
	sys(SYS_wait4, pid, &status, 0, NULL);
	is(status, EXITED(7), "a futex's wait until a time goes on after SIGSTOP and SIGCONT");
}

static void test_wall_clock(void)
{
	long wall = now(CLOCK_REALTIME), monotonic = now(CLOCK_MONOTONIC);
	struct timespec back;

	test_settings();
	is(end_of(sleep_by_the_wall), 7, "a sleep until a time of the wall clock ends when that is set");
	is(end_of(futex_by_the_wall), 7, "a futex's time by the wall clock, too");
	test_wall_timers();
	wall += now(CLOCK_MONOTONIC) - monotonic;
	back = (struct timespec){ wall / BILLION, wall % BILLION };
	is(sys(SYS_clock_settime, CLOCK_REALTIME, &back), 0, "the clock is set back");
}

/* ---- intervals ---- */

static volatile int rung;

static void ring(int signal)
{
	(void)signal;
	rung++;
}

static void test_intervals(void)
{
	struct itimerval timer = { .it_value = { 0, 1000 }, .it_interval = { INT64_MAX / 2, 0 } }, left;
	struct timespec pause = { 0, 30000000 }, none = { 0, 0 };
	sigset_t alarms;

	signal(SIGALRM, ring);
	is(sys(SYS_setitimer, ITIMER_REAL, &timer, NULL), 0, "setitimer with an interval of ages");
	while (!rung)
		sys(SYS_nanosleep, &pause, NULL);
	sys(SYS_nanosleep, &pause, NULL);
	is(rung, 1, "rings once");

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	timer = (struct itimerval){ .it_value = { 0, 1 }, .it_interval = { 0, 700000 } };
	is(sys(SYS_setitimer, ITIMER_REAL, &timer, NULL), 0, "setitimer while the signal is blocked");
	sys(SYS_nanosleep, &pause, NULL);
	is(sys(SYS_getitimer, ITIMER_REAL, &left), 0, "getitimer while the alarm waits");
	is(left.it_value.tv_sec * 1000000 + left.it_value.tv_usec, 0, "it does not run");
	is(left.it_interval.tv_usec, 700000, "and yet has an interval");
	is(sys(SYS_rt_sigtimedwait, &alarms, NULL, &none, 8), SIGALRM, "the alarm is taken");
	is(sys(SYS_getitimer, ITIMER_REAL, &left), 0, "getitimer then");
	is_between(left.it_value.tv_usec, 1, 700000, "it runs again");
	timer = (struct itimerval){ 0 };
	sys(SYS_setitimer, ITIMER_REAL, &timer, NULL);
	sys(SYS_rt_sigtimedwait, &alarms, NULL, &none, 8);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
}

/* ---- adjtimex ---- */

#define CLOCK_ADJTIME 305 /* the system call's number */
#define SINGLE        0x8001
#define SINGLE_READ   0xa001

static long adjust(struct timex *timex, unsigned modes)
{
	timex->modes = modes;
	return sys(SYS_adjtimex, timex);
}

static int adjust_as_user(void *unused)
{
	struct timex timex = { 0 };

	(void)unused;
	if (setresuid(1234, 1234, 1234) != 0 || adjust(&timex, 0) < 0 || adjust(&timex, SINGLE_READ) < 0)
		return 1;
	return adjust(&timex, ADJ_TICK) != -EPERM || adjust(&timex, SINGLE) != -EPERM;
}

/* Return how much the wall clock gains on the raw counter meanwhile, in thousandths of the time that passes. */
static long gain(useconds_t microseconds)
{
	struct timespec wall[2], raw[2];
	long passed;

	clock_gettime(CLOCK_REALTIME, &wall[0]);
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw[0]);
	usleep(microseconds);
	clock_gettime(CLOCK_REALTIME, &wall[1]);
	clock_gettime(CLOCK_MONOTONIC_RAW, &raw[1]);
	passed = nanoseconds(&raw[1]) - nanoseconds(&raw[0]);
	return (nanoseconds(&wall[1]) - nanoseconds(&wall[0]) - passed) / (passed / 1000);
}

static void test_adjustment(void)
{
	struct timex timex = { 0 }, other = { 0 };
	long state = adjust(&timex, 0);

	is_between(state, 0, 5, "adjtimex");
	is(timex.tick, 10000, "an ordinary tick");
	is(timex.precision, 1, "the precision");
	is(timex.tolerance, 32768000, "the tolerance");
	is(sys(SYS_adjtimex, -1L), -EFAULT, "no structure");
	is(adjust(&other, 0x8000), -EINVAL, "a mode that is none");
	is(sys(CLOCK_ADJTIME, CLOCK_REALTIME, &other), -EINVAL, "by the other call, too");
	other.modes = 0;
	is(sys(CLOCK_ADJTIME, CLOCK_REALTIME, &other), state, "which tells the same");
	is(sys(CLOCK_ADJTIME, CLOCK_MONOTONIC, &other), -EOPNOTSUPP, "of a clock that is not adjusted");
	is(sys(CLOCK_ADJTIME, 99, &other), -EINVAL, "of none");
	is(in_child(adjust_as_user, NULL), EXITED(0), "what a user may");
	other.tick = 8999;
	is(adjust(&other, ADJ_TICK), -EINVAL, "a tick that is too short");
	other.tick = 11001;
	is(adjust(&other, ADJ_TICK), -EINVAL, "too long");
	other.tick = 11000;
	is_between(adjust(&other, ADJ_TICK), 0, 5, "a longer one");
	is_between(gain(400000), 50, 150, "makes the wall clock faster");
	is_between(adjust(&timex, ADJ_TICK), 0, 5, "the ordinary one");
	is_between(gain(400000), -20, 20, "does not");
	other.offset = 300000;
	is_between(adjust(&other, SINGLE), 0, 5, "an offset to be moved");
	usleep(100000);
	is_between(adjust(&other, SINGLE_READ), 0, 5, "is");
	is_between(other.offset, 250000, 300000, "moved bit by bit");
	other.offset = -300000;
	is_between(adjust(&other, SINGLE), 0, 5, "one back");
	adjust(&other, SINGLE_READ);
	is_between(other.offset, -300000, -250000, "likewise");
	other.offset = 0;
	adjust(&other, SINGLE);
	other.freq = 99999999;
	is_between(adjust(&other, ADJ_FREQUENCY), 0, 5, "another frequency");
	is(other.freq, 32768000, "is bounded");
	other.freq = 0;
	adjust(&other, ADJ_FREQUENCY);
	other.time.tv_sec = 100;
	other.time.tv_usec = 0;
	is_between(adjust(&other, ADJ_SETOFFSET), 0, 5, "a jump");
	other.time.tv_sec = -100;
	is_between(adjust(&other, ADJ_SETOFFSET), 0, 5, "and back");
	other.time.tv_usec = 1000000;
	is(adjust(&other, ADJ_SETOFFSET), -EINVAL, "a fraction that is none");
}

int main(void)
{
	test_clocks();
	test_resolution();
	test_sleep();
	test_usage();
	test_wall_clock();
	test_intervals();
	test_stop();
	test_select();
	test_adjustment();
	return finish();
}
