/*
 * Tests timers that send signals: timer_create, setitimer, clocks of CPU time; and signals as files: signalfd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define MS     1000000L
#define SECOND 1000000000L

/* The kernel's form of struct sigevent. */
struct event {
	long value;
	int signal, notify, tid, rest[11];
};

static const char *self; /* the path of this program */
static volatile int caught, value, code, overrun;

static void note(int signal, siginfo_t *info, void *context)
{
	(void)context;
	caught++;
	value = (int)(long)info->si_value.sival_ptr;
	code = info->si_code;
	/* Keep the greatest overrun: with several CPUs the next signal may come before this one is looked at. */
	overrun = info->si_overrun > overrun ? info->si_overrun : overrun;
	(void)signal;
}

static void handle(int signal)
{
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

	sigaction(signal, &action, NULL);
	caught = 0;
}

static long create(long clock, const struct event *event, int *ret)
{
	*ret = -1;
	return sys(SYS_timer_create, clock, event, ret);
}

static struct itimerspec spec_of(long value_ns, long interval_ns)
{
	return (struct itimerspec){ { interval_ns / SECOND, interval_ns % SECOND },
				    { value_ns / SECOND, value_ns % SECOND } };
}

static long set(int timer, int flags, long value_ns, long interval_ns)
{
	struct itimerspec spec = spec_of(value_ns, interval_ns);

	return sys(SYS_timer_settime, timer, flags, &spec, NULL);
}

static long left_of(int timer)
{
	struct itimerspec spec;
	long error = sys(SYS_timer_gettime, timer, &spec);

	return error ? error : spec.it_value.tv_sec * SECOND + spec.it_value.tv_nsec;
}

static long now(long clock)
{
	struct timespec time;
	long error = sys(SYS_clock_gettime, clock, &time);

	return error ? error : time.tv_sec * SECOND + time.tv_nsec;
}

/* Compute until `count` signals have come, at most for 2 s, so that CPU time passes. */
static void spin_until(int count)
{
	long end = now(CLOCK_MONOTONIC) + 2 * SECOND;

	while (caught < count && now(CLOCK_MONOTONIC) < end)
		;
}

static void test_create(void)
{
	struct event event = { .value = 77, .signal = SIGUSR1 };
	struct itimerspec bad = { .it_value = { 0, SECOND } };
	int timer, other;

	handle(SIGUSR1);
	is(create(99, &event, &timer), -EINVAL, "a clock that does not exist");
	event.notify = 9;
	is(create(CLOCK_MONOTONIC, &event, &timer), -EINVAL, "a way to tell that is none");
	event = (struct event){ .signal = 99 };
	is(create(CLOCK_MONOTONIC, &event, &timer), -EINVAL, "a signal that is none");
	event = (struct event){ .value = 77, .signal = SIGUSR1, .notify = SIGEV_THREAD_ID, .tid = 0x7fffff };
	is(create(CLOCK_MONOTONIC, &event, &timer), -EINVAL, "a thread that is none");
	event.notify = SIGEV_SIGNAL;
	is(create(CLOCK_MONOTONIC, &event, &timer), 0, "a timer");
	is(create(CLOCK_MONOTONIC, &event, &other), 0, "another one");
	is(other, timer + 1, "has the next number");
	is(sys(SYS_timer_delete, other), 0, "and is deleted");
	is(sys(SYS_timer_delete, other), -EINVAL, "once only");
	is(left_of(timer), 0, "it does not run");
	is(sys(SYS_timer_settime, timer, 0, &bad, NULL), -EINVAL, "a time that is none");
	is(set(timer, 0, 3600 * SECOND, 0), 0, "set to an hour");
	is_between(left_of(timer), 3590 * SECOND, 3600 * SECOND, "of which most is left");
	is(set(timer, 0, 5 * MS, 0), 0, "set to 5 ms");
	spin_until(1);
	is(caught, 1, "the signal comes");
	is(code, SI_TIMER, "from a timer");
	is(value, 77, "with its value");
	is(left_of(timer), 0, "then it has stopped");
	is(set(timer, TIMER_ABSTIME, 1, 0), 0, "a time that has passed");
	spin_until(2);
	is(caught, 2, "is over at once");
	is(sys(SYS_timer_delete, timer), 0, "deleted");
	is(create(CLOCK_REALTIME, NULL, &timer), 0, "without an event");
	handle(SIGALRM);
	set(timer, 0, MS, 0);
	spin_until(1);
	is(caught, 1, "SIGALRM comes");
	is(value, timer, "with the timer's number");
	sys(SYS_timer_delete, timer);
}

static void test_interval(void)
{
	struct event event = { .value = 5, .signal = SIGRTMIN };
	sigset_t mask;
	int timer;

	handle(SIGRTMIN);
	create(CLOCK_MONOTONIC, &event, &timer);
	is(set(timer, 0, 2 * MS, 2 * MS), 0, "an interval");
	spin_until(3);
	is_true(caught >= 3, caught, "brings signal after signal");
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	usleep(50000);
	caught = 0;
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	set(timer, 0, 0, 0);
	is_true(caught >= 1, caught, "while it is blocked one signal waits");
	is_true(overrun >= 10, overrun, "which tells how many it stands for");
	is(sys(SYS_timer_getoverrun, timer), 0, "set anew it counts from 0");
	is(sys(SYS_timer_delete, timer), 0, "deleted");
	is(sys(SYS_timer_getoverrun, timer), -EINVAL, "gone");
}

static int pending_signals(void)
{
	sigset_t set;
	int count = 0;

	sigpending(&set);
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		count += sigismember(&set, signal) > 0;
	return count;
}

/* Start this program again; it then exits with the number of its pending signals. */
static int start_again(void *unused)
{
	static char *arguments[] = { "timers", "pending", NULL };

	(void)unused;
	sys(SYS_execve, self, arguments, NULL);
	return 99;
}

/* Leave pending a timer's signal, a deleted timer's signal and one that was sent; then execve. */
static int exec_pending(void *unused)
{
	struct event event = { .signal = SIGRTMIN };
	int timer, deleted;

	create(CLOCK_MONOTONIC, &event, &timer);
	event.signal = SIGRTMIN + 1;
	create(CLOCK_MONOTONIC, &event, &deleted);
	set(timer, 0, 1, 1);
	set(deleted, 0, 1, 1);
	raise(SIGRTMIN + 2);
	usleep(2000);
	sys(SYS_timer_delete, deleted);
	return pending_signals() == 3 ? start_again(unused) : 98;
}

/* Set a timer anew, stop it and delete it while its signal is pending: each time the signal must stay pending, once. */
static void test_pending(void)
{
	struct event event = { .value = 7, .signal = SIGRTMIN };
	struct timespec none = { 0 };
	siginfo_t info;
	sigset_t mask;
	int timer, first;

	handle(SIGRTMIN);
	sigemptyset(&mask);
	for (int signal = SIGRTMIN; signal < SIGRTMIN + 3; signal++)
		sigaddset(&mask, signal);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	create(CLOCK_MONOTONIC, &event, &timer);
	for (int i = 0; i < 4; i++) {
		set(timer, 0, 1, 0);
		usleep(2000);
	}
	is(sigtimedwait(&mask, &info, &none), SIGRTMIN, "a timer that expired four times: a signal");
	is(info.si_overrun, 3, "that stands for three more");
	is(sigtimedwait(&mask, &info, &none) < 0 ? errno : 0, EAGAIN, "only one");
	for (int i = 0; i < 100; i++)
		set(timer, 0, 1, 1);
	usleep(2000);
	is(pending_signals(), 1, "an interval of 1 ns, set again and again");
	set(timer, 0, 0, 0);
	is(pending_signals(), 1, "stopped, the signal is pending");
	is(sigtimedwait(&mask, &info, &none), SIGRTMIN, "and is taken");
	usleep(2000);
	is(pending_signals(), 0, "no other follows");
	set(timer, 0, 1, 1);
	usleep(2000);
	set(timer, 0, 1, 1);
	usleep(2000);
	is(sys(SYS_timer_delete, timer), 0, "deleted with its signal pending");
	first = timer;
	create(CLOCK_MONOTONIC, &event, &timer);
	is(timer, first + 1, "the next one has the next number");
	set(timer, 0, 1, 1);
	usleep(2000);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	is_true(caught >= 1, caught, "unblocked, it comes");
	sys(SYS_timer_delete, timer);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	is(in_child(exec_pending, NULL), EXITED(1), "execve drops the signals of timers, and no others");
	while (sigtimedwait(&mask, &info, &none) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

static void test_none(void)
{
	struct event event = { .notify = SIGEV_NONE };
	int timer;

	is(create(CLOCK_MONOTONIC, &event, &timer), 0, "a timer that tells nobody");
	is(set(timer, 0, SECOND, SECOND), 0, "runs");
	is_between(left_of(timer), 1, SECOND, "and can be asked");
	sys(SYS_timer_delete, timer);
}

static void test_thread(void)
{
	struct event event = { .signal = SIGUSR2, .notify = SIGEV_THREAD_ID };
	int timer;

	handle(SIGUSR2);
	event.tid = (int)sys(SYS_gettid);
	is(create(CLOCK_MONOTONIC, &event, &timer), 0, "a timer for one thread");
	set(timer, 0, MS, 0);
	spin_until(1);
	is(caught, 1, "which gets the signal");
	sys(SYS_timer_delete, timer);
}

static int has_timers(void *timer)
{
	return left_of(*(int *)timer) == -EINVAL ? 7 : 8;
}

static void test_fork(void)
{
	int timer;

	create(CLOCK_MONOTONIC, NULL, &timer);
	set(timer, 0, 3600 * SECOND, 0);
	is(in_child(has_timers, &timer), EXITED(7), "a child has no timers");
	sys(SYS_timer_delete, timer);
}

static void test_cpu_clocks(void)
{
	struct event event = { .signal = SIGUSR1 };
	struct timespec time = { 0, 10 * MS }, past = { 0, 1 };
	long before, own = ~(long)getpid() * 8 + 2, thread = (~sys(SYS_gettid) * 8) | 6;
	int timer;

	is_true(now(CLOCK_PROCESS_CPUTIME_ID) > 0, 0, "the process's time");
	is_true(now(own) > 0, now(own), "by its number");
	is_true(now(thread) > 0, now(thread), "the thread's");
	is(now((long)(~0x7ffffL * 8 + 2)), -EINVAL, "of a process that is none");
	is(sys(SYS_clock_getres, own, &time), 0, "it has a resolution");
	is_true(now(own & ~3L) >= 0 && now((own & ~3L) | 1) >= 0, 0, "in user mode, and in all");
	handle(SIGUSR1);
	is(create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer), 0, "a timer by CPU time");
	before = now(CLOCK_PROCESS_CPUTIME_ID);
	is(set(timer, 0, 20 * MS, 0), 0, "of 20 ms");
	usleep(50000);
	is(caught, 0, "does not run while the process sleeps");
	spin_until(1);
	is(caught, 1, "but while it computes");
	is_true(now(CLOCK_PROCESS_CPUTIME_ID) - before >= 20 * MS, now(CLOCK_PROCESS_CPUTIME_ID) - before,
		"after that time");
	sys(SYS_timer_delete, timer);
	is(sys(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), -EOPNOTSUPP, "a sleep by the own time");
	is(sys(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &past, NULL), 0,
	   "a sleep by the process's, to a time that has passed");
	is(sys(SYS_clock_nanosleep, CLOCK_TAI, TIMER_ABSTIME, &past, NULL), 0, "one by CLOCK_TAI");
	time = (struct timespec){ 0, MS };
	is(sys(SYS_clock_nanosleep, CLOCK_TAI, 0, &time, NULL), 0, "for a while");
	is(create(CLOCK_MONOTONIC_RAW, &event, &timer), -EOPNOTSUPP, "a clock without timers");
}

static void test_itimers(void)
{
	struct itimerval value_of = { { 0, 5000 }, { 0, 5000 } }, old, off = { 0 };

	handle(SIGPROF);
	is(sys(SYS_setitimer, ITIMER_PROF, &value_of, NULL), 0, "ITIMER_PROF");
	spin_until(2);
	is_true(caught >= 2, caught, "brings SIGPROF");
	is(sys(SYS_getitimer, ITIMER_PROF, &old), 0, "is asked");
	is_between(old.it_value.tv_usec, 1, 5000, "what is left");
	is(old.it_interval.tv_usec, 5000, "and its interval");
	is(sys(SYS_setitimer, ITIMER_PROF, &off, &old), 0, "stopped");
	is(old.it_interval.tv_usec, 5000, "it tells what it was");
	handle(SIGVTALRM);
	is(sys(SYS_setitimer, ITIMER_VIRTUAL, &value_of, NULL), 0, "ITIMER_VIRTUAL");
	while (caught < 2)
		;
	is_true(caught >= 2, caught, "brings SIGVTALRM");
	sys(SYS_setitimer, ITIMER_VIRTUAL, &off, NULL);
	is(sys(SYS_setitimer, 3, &off, NULL), -EINVAL, "a fourth timer");
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1)
		return pending_signals();
	test_create();
	test_interval();
	test_pending();
	test_none();
	test_thread();
	test_fork();
	test_cpu_clocks();
	test_itimers();
	return finish();
}
