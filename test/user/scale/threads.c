/* Threads: N of one process that do nothing, or that wait for a futex. See scale.h. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>

#include "test/user/scale/scale.h"

#define LARGEST 8000

static int middle, self, directory, tid, child;
static struct rusage seen;
static struct tms seen_times;
static struct timespec seen_time;
static int words[MOST_TASKS]; /* futexes */

static void ignore_usr1(void)
{
	struct {
		unsigned long handler, flags, restorer, mask;
	} ignore = { .handler = 1 };

	must(sys(SYS_rt_sigaction, SIGUSR1, &ignore, NULL, 8), "sigaction");
}

static void threads(unsigned n)
{
	ignore_usr1();
	threads_start(n);
	middle = tasks[n / 2];
	self = (int)sys(SYS_getpid);
	directory = open_file("/proc/self/task");
}

static long create_and_join(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	tid = 1;
	spawn(THREAD | CLONE_CHILD_CLEARTID, &tid, SYS_exit, 0, 0, 0);
	while (*(volatile int *)&tid)
		sys(SYS_futex, &tid, 0, 1, NULL);
	return 0;
}

static long kill_thread(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_tgkill, self, middle, 0);
}

static long kill_process(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, self, SIGUSR1);
}

static long get_usage(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getrusage, RUSAGE_SELF, &seen);
}

static long get_times(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_times, &seen_times);
}

static long get_cpu_time(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &seen_time);
}

static long list_threads(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_all(directory);
}

static long list_first(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_once(directory, 300);
}

static long read_stat(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path("/proc/self/stat");
}

static long read_status(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path("/proc/self/status");
}

static long yield(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_sched_yield);
}

static long set_mask(unsigned n, unsigned turn)
{
	uint64_t none = 0;

	(void)n, (void)turn;
	return sys(SYS_rt_sigprocmask, SIG_BLOCK, &none, NULL, 8);
}

/* A process of N threads; all of it ends in the step. */
static void start_threads(unsigned n, unsigned turn)
{
	(void)turn;
	child = (int)must(sys(SYS_fork), "fork");
	if (child == 0) {
		threads_start(n);
		sys(SYS_kill, sys(SYS_getpid), SIGSTOP);
		for (;;)
			sys(SYS_pause);
	}
	must(sys(SYS_wait4, child, NULL, WUNTRACED, NULL), "wait4 of a stop");
}

static long end_threads(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_kill, child, SIGKILL);
	return sys(SYS_wait4, child, NULL, 0, NULL);
}

/* Each waits at a word of its own. */
static void sleepers(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tasks[i] = spawn(THREAD, NULL, SYS_futex, (long)&words[i], 128, 0);
	for (unsigned i = 0; i < 3; i++)
		sys(SYS_sched_yield);
}

static long wake_one(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_futex, &words[n / 2], 129, 1);
}

static long wake_nobody(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_futex, &words[n], 129, 1);
}

static void let_run(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_sched_yield);
}

/* All at one word. */
static void crowd(unsigned n)
{
	processes_start_in(n, THREAD, SYS_futex, (long)&words[0], 128, 0);
	for (unsigned i = 0; i < 3; i++)
		sys(SYS_sched_yield);
}

static long wake_one_of_all(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_futex, &words[0], 129, 1);
}

static long wake_all(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_futex, &words[0], 129, n);
}

/* All asleep until long after the test, each with a time of its own. */
static void timed(unsigned n)
{
	static struct timespec times[MOST_TASKS];

	for (unsigned i = 0; i < n; i++) {
		times[i] = (struct timespec){ 100000 + i * 7919 % n, 0 };
		tasks[i] = spawn(THREAD, NULL, SYS_nanosleep, (long)&times[i], 0, 0);
	}
	for (unsigned i = 0; i < 3; i++)
		sys(SYS_sched_yield);
}

static long wait_with_limit(unsigned n, unsigned turn)
{
	static const struct timespec short_time = { 0, 1 };
	long result = sys(SYS_futex, &words[0], 128, 0, &short_time);

	(void)n, (void)turn;
	return result == -110 ? 0 : -1;
}

static long set_timer(unsigned n, unsigned turn)
{
	static const unsigned long long later[4] = { 0, 0, 5000, 0 };

	(void)n, (void)turn;
	return sys(SYS_setitimer, 0, later, NULL);
}

#define AMONG    .largest = LARGEST, .setup = threads
#define SLEEPERS .largest = LARGEST, .setup = sleepers
#define CROWD    .largest = LARGEST, .setup = crowd
#define TIMED    .largest = LARGEST, .setup = timed

static const struct row rows[] = {
	{ "create and join, N threads", AMONG, .step = create_and_join },
	{ "tgkill", AMONG, .step = kill_thread },
	{ "ignored signal, N threads", AMONG, .step = kill_process },
	{ "sigprocmask, N threads", AMONG, .step = set_mask },
	{ "sched_yield, N threads", AMONG, .step = yield },
	{ "fork, exit, wait4, N threads", AMONG, .step = fork_and_wait },
	{ "getrusage", AMONG, .step = get_usage },
	{ "times", AMONG, .step = get_times },
	{ "process CPU time", AMONG, .step = get_cpu_time },
	{ "/proc/self/stat", AMONG, .step = read_stat },
	{ "/proc/self/status", AMONG, .step = read_status },
	{ "list /proc/self/task, a thread", AMONG, .each = true, .step = list_threads },
	{ "first names of /proc/self/task", AMONG, .step = list_first },
	{ "futex wake of one", SLEEPERS, .step = wake_one, .after = let_run },
	{ "futex wake of nobody", SLEEPERS, .step = wake_nobody },
	{ "futex wake of one, all at one word", CROWD, .step = wake_one_of_all, .after = let_run },
	{ "futex wake of all, a thread", CROWD, .each = true, .step = wake_all, .after = let_run },
	{ "futex wait until a time", TIMED, .kind = ROW_LOG, .step = wait_with_limit },
	{ "setitimer, N sleep", TIMED, .kind = ROW_LOG, .step = set_timer },
	{ "end of a process, a thread", .largest = 2000, .each = true, .before = start_threads, .step = end_threads },
};

ROOM(threads);
