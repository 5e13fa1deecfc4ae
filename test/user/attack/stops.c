/*
 * Whatever one program does, its neighbour runs within a millisecond: each case of the lists in stops.h runs in a
 * child, beside a neighbour that wants to run each tenth of a millisecond and measures how late it was. Then the case
 * runs again, is killed in the middle, and must begin to end within a millisecond. The clock must count instructions,
 * a nanosecond each (QEMU's -icount shift=0): what a host that is busy does to a machine is not the kernel's.
 *
 * stops [SCALE [KILLS [PART]]]   SCALE: five for the long run; KILLS: how often each case is killed, at other places
 * each time; PART: only the cases whose name has it
 */
#define _GNU_SOURCE
#include "test/user/attack/stops.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

/* futex(2), get_robust_list(2). */
#define FUTEX_WAIT       0
#define FUTEX_WAITERS    0x80000000U
#define FUTEX_OWNER_DIED 0x40000000U

struct robust_list {
	struct robust_list *next;
};

struct robust_list_head {
	struct robust_list list;
	long futex_offset;
	struct robust_list *pending;
};

#define RESET_ON_FORK 0x40000000 /* sched_setscheduler(2) */

#define STEP_NS 100000L
#define LATE_NS 1000000L

/* Shared with the neighbour and the case's child. */
static volatile struct {
	long worst; /* how late the neighbour was at the most, in nanoseconds, since this was 0 */
	long runs;
	/* A robust lock, which the child has: the kernel gives it up as the first thing when the child ends. */
	struct robust_list entry;
	uint32_t lock;
} * seen;

static int nice_of_cases;

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void sleep_until(long ns)
{
	struct timespec time = { ns / 1000000000L, ns % 1000000000L };

	sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static pid_t start_neighbour(void)
{
	pid_t neighbour = fork();

	if (neighbour != 0)
		return neighbour;
	for (;;) {
		long due = now() + STEP_NS, late;

		sleep_until(due);
		late = now() - due;
		if (late > seen->worst)
			seen->worst = late;
		seen->runs++;
	}
}

static void make_tmp(void)
{
	mkdir("/tmp", 0777);
	mknod("/tmp/zero", S_IFCHR | 0666, makedev(1, 5));
}

/*
 * How nice a case is. At a scale of five, five times as many tasks may want the CPU, and together they must not weigh
 * more than at a scale of one: the neighbour's fair share would be less than what it uses, and it would be late with
 * good reason. A step of a nice value is worth a quarter more.
 */
static int niceness(unsigned long scale)
{
	int nice = 0;

	for (unsigned long worth = 100; worth < 100 * scale; worth += worth / 4)
		nice++;
	return nice;
}

static pid_t start_case(const struct stops_case *at, unsigned long many)
{
	pid_t child = fork();

	if (child == 0) {
		static struct robust_list_head held;
		struct rlimit files = { 1 << 20, 1 << 20 };

		held.list.next = (struct robust_list *)&seen->entry;
		held.futex_offset = (long)offsetof(typeof(*seen), lock) - (long)offsetof(typeof(*seen), entry);
		seen->entry.next = &held.list;
		seen->lock = (uint32_t)getpid() | FUTEX_WAITERS;
		sys(SYS_set_robust_list, &held, sizeof(held));
		setpgid(0, 0);
		setpriority(PRIO_PROCESS, 0, nice_of_cases);
		setrlimit(RLIMIT_NOFILE, &files);
		at->run(many);
		_exit(0);
	}
	if (child < 0)
		bail("no child", errno);
	return child;
}

/* Run a case. Tells how late the neighbour was from the child's start to its end; returns how long that took. */
static long watch(const struct stops_case *at, unsigned long many)
{
	pid_t neighbour = start_neighbour(), child;
	long runs, before, after;
	int status = 0;

	sleep_until(now() + 3 * STEP_NS);
	seen->worst = 0;
	before = now();
	runs = seen->runs;
	child = start_case(at, many);
	if (waitpid(child, &status, 0) != child)
		bail("no child", errno);
	after = now();
	sleep_until(after + 3 * STEP_NS);
	printf("# %s, %lu: late %ld us in %ld us, status %x, %ld runs\n", at->name, many, seen->worst / 1000,
	       (after - before) / 1000, status, seen->runs - runs);
	is_between(seen->worst, 0, LATE_NS, at->name);
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	return after - before;
}

/*
 * Kill the child. Returns how long it took until the child began to end; -1: it did not say so, having called
 * execve(2).
 */
static long kill_case(pid_t child)
{
	const struct timespec patience = { 0, 20 * LATE_NS };
	uint32_t held;
	long before;

	/* How long the child waits for its turn among others, which may be very many, is not what is measured. */
	setpriority(PRIO_PROCESS, (id_t)child, -20);
	before = now();
	kill(child, SIGKILL);
	while (!((held = seen->lock) & FUTEX_OWNER_DIED))
		if (sys(SYS_futex, &seen->lock, FUTEX_WAIT, held, &patience) == -ETIMEDOUT)
			return -1;
	return now() - before;
}

static void set_policy(int policy, int priority)
{
	if (sys(SYS_sched_setscheduler, 0, policy, &priority) != 0)
		bail("no scheduling policy", errno);
}

/*
 * Run a case and kill it after so many nanoseconds, in a /tmp of its own, and then the processes that it leaves. This
 * process is real-time meanwhile, so that it runs when it wants to.
 */
static void watch_killed(const struct stops_case *at, unsigned long many, long after)
{
	int status = 0;
	pid_t child;
	long took;

	if (mount("none", "/tmp", "tmpfs", 0, NULL) != 0)
		bail("no tmpfs", errno);
	make_tmp();
	set_policy(SCHED_FIFO | RESET_ON_FORK, 1);
	child = start_case(at, many);
	sleep_until(now() + after);
	took = kill_case(child);
	kill(-1, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		bail("no child", errno);
	set_policy(SCHED_OTHER, 0);
	if (took >= 0 && WIFSIGNALED(status)) {
		printf("# killed after %ld us: ends after %ld us\n", after / 1000, took / 1000);
		is_between(took, 0, LATE_NS + at->undo_ns, "begins to end when it is killed");
	}
	umount2("/tmp", MNT_DETACH);
	stops_ipc_remove();
}

/* Kill a case, which takes `length` nanoseconds, so many times, each time at another place. */
static void watch_kills(const struct stops_case *at, unsigned long many, long length, unsigned long kills)
{
	for (unsigned long i = 0; i < kills; i++)
		watch_killed(at, many, length * (long)(2 * i + 1) / (long)(2 * kills));
}

int main(int argc, char **argv)
{
	static const struct stops_case *const lists[] = { stops_cases, stops_files, stops_ipc, stops_tasks };
	unsigned long scale = argc > 1 ? strtoul(argv[1], NULL, 10) : 1,
		      kills = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	const char *part = argc > 3 ? argv[3] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "nothing") == 0)
		return 0;
	signal(SIGUSR1, SIG_IGN);
	seen = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (seen == MAP_FAILED)
		bail("no shared memory", errno);
	make_tmp();
	nice_of_cases = niceness(scale);
	/* This process and the neighbour get the CPU as soon as they want it, which is seldom. */
	setpriority(PRIO_PROCESS, 0, -20);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct stops_case *at = lists[i]; at->name; at++) {
			unsigned long many = at->most && at->many * scale > at->most ? at->most : at->many * scale;

			if (strstr(at->name, part))
				watch_kills(at, many, watch(at, many), kills);
		}
	return finish();
}
