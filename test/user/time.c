/* clock_gettime, clock_getres, nanosleep, clock_nanosleep, gettimeofday, times, getrusage. No check depends on speed. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "test/user/tap.h"

#define KERNEL  ((void *)(-1UL << 31))
#define BILLION 1000000000L

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

int main(void)
{
	test_clocks();
	test_resolution();
	test_sleep();
	test_usage();
	return finish();
}
