/*
 * Tests how tasks are spread over the CPUs: one more task that computes than there are CPUs, all of which may run
 * anywhere; tasks that may run on one CPU only; and isolated CPUs (isolcpus=), where the machine has such.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define TASKS_MOST 9
#define ISOLATED   "/sys/devices/system/cpu/isolated"

/* What the tasks that compute share with the task that checks. */
static struct shared {
	volatile int stop;
	struct {
		volatile unsigned long cpus; /* the CPUs on which the task was seen, a bit each */
		volatile long cpu_ms;        /* the CPU time that the task has had, once it has ended */
	} tasks[TASKS_MOST];
} * shared;

static unsigned long allowed; /* CPUs on which this program may run, a bit each */

static long own_cpu_ms(void)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void rest_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	sys(SYS_nanosleep, &time, NULL);
}

static int compute(int number)
{
	while (!shared->stop) {
		unsigned cpu = 0;

		sys(SYS_getcpu, &cpu, NULL, NULL);
		shared->tasks[number].cpus |= 1UL << cpu;
		for (volatile int i = 0; i < 10000; i++)
			;
	}
	shared->tasks[number].cpu_ms = own_cpu_ms();
	return 0;
}

/* Start the task `number`, which computes on the CPUs of `cpus` until it is stopped. */
static void start(int number, unsigned long cpus)
{
	int pid = fork();

	if (pid < 0)
		bail("fork", pid);
	if (pid)
		return;
	if (sys(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus))
		_exit(1);
	_exit(compute(number));
}

/* Let the tasks that were started compute for `ms`, and stop them. Returns how many did not end well. */
static int run(int tasks, long ms)
{
	int failed = 0;

	rest_ms(ms);
	shared->stop = 1;
	for (int i = 0; i < tasks; i++) {
		int status = -1;

		wait(&status);
		failed += status != 0;
	}
	return failed;
}

static int count(unsigned long cpus)
{
	return __builtin_popcountl(cpus);
}

static long per_mille_of_most(int tasks)
{
	long least = shared->tasks[0].cpu_ms, most = least;

	for (int i = 1; i < tasks; i++) {
		const long ms = shared->tasks[i].cpu_ms;

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	return most ? least * 1000 / most : 0;
}

/* Check that tasks change CPUs: if they stayed where they are, two of them would have half of what the others have. */
static void test_shares(void)
{
	const int tasks = count(allowed) + 1;

	memset(shared, 0, sizeof(*shared));
	for (int i = 0; i < tasks; i++)
		start(i, allowed);
	/*
	 * If a host stalls the machine, the task that runs then has more than its share: a longer run makes up for
	 * that.
	 */
	is(run(tasks, tasks > 2 ? 3000 : 1500), 0, "one task more than there are CPUs computes");
	is_between(per_mille_of_most(tasks), 750, 1000, "each has three quarters at least of what any other one has");
}

/* Let the first task run on the first CPU only, and the others anywhere. */
static void test_pinned(void)
{
	const unsigned long first = allowed & -allowed;
	const int tasks = count(allowed) + 1;

	memset(shared, 0, sizeof(*shared));
	start(0, first);
	for (int i = 1; i < tasks; i++)
		start(i, allowed);
	is(run(tasks, tasks > 2 ? 1000 : 300), 0, "a task that may run on one CPU computes beside others");
	is((long)shared->tasks[0].cpus, (long)first, "it runs on that one only");
	is_between(per_mille_of_most(tasks), 300, 1000, "and nobody has hardly anything");
	for (int i = 1; i < tasks; i++)
		if (shared->tasks[i].cpus & ~allowed)
			is((long)shared->tasks[i].cpus, (long)allowed, "the others run where they may");
}

/* Check that a task runs on an isolated CPU exactly if it may run on no other one. */
static void test_isolated(void)
{
	char text[64] = "";
	int fd = open(ISOLATED, O_RDONLY);
	unsigned long isolated, both;

	if (!is_true(fd >= 0, fd, "there is " ISOLATED))
		return;
	read(fd, text, sizeof(text) - 1);
	close(fd);
	if (*text < '0' || *text > '9')
		return;
	isolated = 1UL << strtoul(text, NULL, 10);
	both = isolated | allowed;
	is((long)(allowed & isolated), 0, "a program may not run on an isolated CPU at first");
	memset(shared, 0, sizeof(*shared));
	for (int i = 0; i < count(both) + 1; i++)
		start(i, i ? both : isolated);
	is(run(count(both) + 1, 500), 0, "one task that may run on it alone, and others that may as well");
	is((long)shared->tasks[0].cpus, (long)isolated, "the one runs there");
	for (int i = 1; i < count(both) + 1; i++)
		is((long)(shared->tasks[i].cpus & isolated), 0, "the others do not");
}

int main(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sys(SYS_sched_getaffinity, 0, sizeof(allowed), &allowed);
	if (count(allowed) > TASKS_MOST - 1)
		allowed &= 0xff;
	test_shares();
	test_pinned();
	test_isolated();
	return finish();
}
