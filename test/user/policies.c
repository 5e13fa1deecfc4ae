/*
 * Tests sched_setscheduler, sched_setattr and calls like them: policies, priorities, the order in which real-time tasks
 * get one CPU, what these must leave to others, RLIMIT_RTTIME, and what /proc says. The order is that of sched(7),
 * which holds on one CPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/one_cpu.h"
#include "test/user/self_stat.h"
#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))

#define OTHER    0
#define FIFO     1
#define RR       2
#define BATCH    3
#define IDLE     5
#define DEADLINE 6
#define RESET    0x40000000L

#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"

#define FLAG_RESET       1
#define FLAG_KEEP_POLICY 8
#define FLAG_KEEP_PARAMS 0x10

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
	uint32_t more[2]; /* fields that Linux 6.1 does not know */
};

/* What the processes of a test share. */
static struct shared {
	volatile int length; /* how long `text` is */
	char text[60];       /* the names of the children, in the order in which they noted something */
	volatile long counts[4];
	volatile int go, signals;
} * shared;

static long set(int pid, int policy, int priority)
{
	return sys(SYS_sched_setscheduler, pid, policy, &priority);
}

static void note(char c)
{
	shared->text[shared->length++] = c;
}

static void rest_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	sys(SYS_nanosleep, &time, NULL);
}

static long cpu_ms(void)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void compute_ms(long ms)
{
	for (long end = cpu_ms() + ms; cpu_ms() < end;)
		;
}

static int write_text(const char *path, const char *text)
{
	int fd = (int)sys(SYS_open, path, O_WRONLY), result = (int)sys(SYS_write, fd, text, strlen(text));

	close(fd);
	return result;
}

/* ---- results and errors ---- */

/* Check the CPUs that /proc shows a task may run on: for this whole program that is the first CPU alone. */
static void test_cpus(void)
{
	char text[4096] = "";
	int fd = open("/proc/self/status", O_RDONLY);

	read(fd, text, sizeof(text) - 1);
	close(fd);
	is_true(strstr(text, "\nCpus_allowed_list:\t0\n") != NULL, fd, "/proc/self/status tells of one CPU");
	is_true(strstr(text, "\nCpus_allowed:\t") != NULL, fd, "and has it as a mask");
}

static void test_set(void)
{
	int priority = 77;

	is(sys(SYS_sched_getscheduler, 0), OTHER, "a program starts with SCHED_OTHER");
	is(sys(SYS_sched_getparam, 0, &priority), 0, "sched_getparam");
	is(priority, 0, "tells 0");
	is(set(0, FIFO, 10), 0, "SCHED_FIFO");
	is(sys(SYS_sched_getscheduler, 0), FIFO, "is the policy");
	sys(SYS_sched_getparam, 0, &priority);
	is(priority, 10, "with its priority");
	priority = 99;
	is(sys(SYS_sched_setparam, 0, &priority), 0, "sched_setparam");
	priority = 0;
	is(sys(SYS_sched_setparam, 0, &priority), -EINVAL, "no priority 0 for SCHED_FIFO");
	sys(SYS_sched_getparam, sys(SYS_gettid), &priority);
	is(priority, 99, "the priority that was set last");
	is(set(0, RR | RESET, 1), 0, "SCHED_RR, with SCHED_RESET_ON_FORK");
	is(sys(SYS_sched_getscheduler, 0), RR | RESET, "are told together");
	priority = 2;
	is(sys(SYS_sched_setparam, 0, &priority), 0, "another priority");
	is(sys(SYS_sched_getscheduler, 0), RR | RESET, "leaves them as they are");
	is(set(0, BATCH, 0), 0, "SCHED_BATCH");
	is(sys(SYS_sched_getscheduler, 0), BATCH, "without the flag");
	is(set(0, IDLE, 0), 0, "SCHED_IDLE");
	is(sys(SYS_sched_getscheduler, 0), IDLE, "is told");
	is(set(0, OTHER, 0), 0, "SCHED_OTHER again");
}

static void test_errors(void)
{
	int zero = 0, one = 1;

	is(set(0, FIFO, 0), -EINVAL, "SCHED_FIFO with priority 0");
	is(set(0, RR, 100), -EINVAL, "SCHED_RR with priority 100");
	is(set(0, RR, -1), -EINVAL, "a negative priority");
	is(set(0, OTHER, 1), -EINVAL, "SCHED_OTHER with a priority");
	is(set(0, BATCH, 1), -EINVAL, "SCHED_BATCH with a priority");
	is(set(0, IDLE, 1), -EINVAL, "SCHED_IDLE with a priority");
	is(set(0, 4, 0), -EINVAL, "a policy that does not exist");
	is(set(0, DEADLINE, 0), -EINVAL, "SCHED_DEADLINE without its times");
	is(set(0, 7, 0), -EINVAL, "policy 7");
	is(set(0, -1, 0), -EINVAL, "a negative policy");
	is(set(-1, OTHER, 0), -EINVAL, "a negative number");
	is(set(1 << 30, OTHER, 0), -ESRCH, "a number that no task has");
	is(sys(SYS_sched_setscheduler, 0, FIFO, NULL), -EINVAL, "no parameter");
	is(sys(SYS_sched_setscheduler, 0, FIFO, KERNEL), -EFAULT, "a parameter of the kernel's");
	is(sys(SYS_sched_setscheduler, -1, FIFO, KERNEL), -EINVAL, "of a negative number");
	is(sys(SYS_sched_setparam, 0, NULL), -EINVAL, "sched_setparam without one");
	is(sys(SYS_sched_setparam, -1, &zero), -EINVAL, "sched_setparam of a negative number");
	is(sys(SYS_sched_setparam, 1 << 30, &zero), -ESRCH, "sched_setparam of nobody");
	is(sys(SYS_sched_setparam, 0, &one), -EINVAL, "sched_setparam of SCHED_OTHER");
	is(sys(SYS_sched_getparam, 0, NULL), -EINVAL, "sched_getparam without a place");
	is(sys(SYS_sched_getparam, 0, KERNEL), -EFAULT, "sched_getparam to the kernel");
	is(sys(SYS_sched_getparam, -1, &zero), -EINVAL, "sched_getparam of a negative number");
	is(sys(SYS_sched_getparam, 1 << 30, &zero), -ESRCH, "sched_getparam of nobody");
	is(sys(SYS_sched_getscheduler, -1), -EINVAL, "sched_getscheduler of a negative number");
	is(sys(SYS_sched_getscheduler, 1 << 30), -ESRCH, "sched_getscheduler of nobody");
	is(sys(SYS_sched_getscheduler, 0), OTHER, "nothing has changed");
}

static void test_bounds(void)
{
	static const struct {
		int policy;
		long least, most;
	} bounds[] = { { OTHER, 0, 0 },         { FIFO, 1, 99 },         { RR, 1, 99 },
		       { BATCH, 0, 0 },         { IDLE, 0, 0 },          { 6, 0, 0 },
		       { 4, -EINVAL, -EINVAL }, { 7, -EINVAL, -EINVAL }, { -1, -EINVAL, -EINVAL } };
	struct timespec turn = { 9, 9 };

	for (size_t i = 0; i < COUNT(bounds); i++) {
		is(sys(SYS_sched_get_priority_min, bounds[i].policy), bounds[i].least, "the least priority");
		is(sys(SYS_sched_get_priority_max, bounds[i].policy), bounds[i].most, "the greatest");
	}
	is(sys(SYS_sched_rr_get_interval, -1, &turn), -EINVAL, "sched_rr_get_interval of a negative number");
	is(sys(SYS_sched_rr_get_interval, 1 << 30, &turn), -ESRCH, "of nobody");
	is(sys(SYS_sched_rr_get_interval, 0, KERNEL), -EFAULT, "to the kernel");
	is(sys(SYS_sched_rr_get_interval, 0, &turn), 0, "of SCHED_OTHER");
	is(turn.tv_sec, 0, "is less than a second");
	is_between(turn.tv_nsec, 0, 100000000, "and no more than a real-time task's");
	set(0, RR, 1);
	is(sys(SYS_sched_rr_get_interval, 0, &turn), 0, "of SCHED_RR");
	is_true(turn.tv_sec == 0 && turn.tv_nsec == 100000000, turn.tv_nsec, "is 100 ms");
	set(0, FIFO, 1);
	sys(SYS_sched_rr_get_interval, 0, &turn);
	is_true(turn.tv_sec == 0 && turn.tv_nsec == 0, turn.tv_nsec, "SCHED_FIFO's has no end");
	set(0, OTHER, 0);
}

static void test_attr_sizes(void)
{
	struct attr attr = { .size = 48 };
	char *page = fresh(2 * PAGE, PROT_READ | PROT_WRITE);

	is(sys(SYS_sched_setattr, 0, &attr, 0), 0, "sched_setattr of the first size");
	attr.size = 0;
	is(sys(SYS_sched_setattr, 0, &attr, 0), 0, "size 0 means that one");
	attr.size = 64;
	is(sys(SYS_sched_setattr, 0, &attr, 0), 0, "a later one whose end is zeros");
	attr.more[1] = 1;
	is(sys(SYS_sched_setattr, 0, &attr, 0), -E2BIG, "or is not");
	is(attr.size, 56, "then the size is told that there is");
	attr = (struct attr){ .size = 47 };
	is(sys(SYS_sched_setattr, 0, &attr, 0), -E2BIG, "a size that is too small");
	is(attr.size, 56, "is answered in the same way");
	memset(page, 0, 2 * PAGE);
	*(uint32_t *)page = PAGE;
	is(sys(SYS_sched_setattr, 0, page, 0), 0, "a whole page of zeros");
	*(uint32_t *)page = PAGE + 1;
	is(sys(SYS_sched_setattr, 0, page, 0), -E2BIG, "more than a page");
	is(*(uint32_t *)page, 56, "is answered, too");
	is(sys(SYS_sched_setattr, 0, NULL, 0), -EINVAL, "no structure");
	is(sys(SYS_sched_setattr, 0, KERNEL, 0), -EFAULT, "one of the kernel's");
	is(sys(SYS_sched_setattr, 0, &attr, 1), -EINVAL, "a flag");
	is(sys(SYS_sched_setattr, -1, &attr, 0), -EINVAL, "a negative number");
	is(sys(SYS_sched_setattr, 1 << 30, &attr, 0), -ESRCH, "nobody");
	munmap(page + PAGE, PAGE);
	page += PAGE - 48;
	*(uint32_t *)page = 56;
	is(sys(SYS_sched_setattr, 0, page, 0), -EFAULT, "a structure whose end is not there");
	*(uint32_t *)page = 48;
	is(sys(SYS_sched_setattr, 0, page, 0), 0, "or is not meant");
	is(sys(SYS_sched_getattr, 0, page, 56, 0), -EFAULT, "sched_getattr to such a place");
	is(sys(SYS_sched_getattr, 0, page, 48, 0), 0, "and to one that is long enough");
	is(*(uint32_t *)page, 48, "whose size it tells");
	is(sys(SYS_sched_getattr, 0, &attr, 47, 0), -EINVAL, "sched_getattr of 47 bytes");
	is(sys(SYS_sched_getattr, 0, &attr, PAGE + 1, 0), -EINVAL, "of more than a page");
	attr.size = attr.more[0] = 7;
	is(sys(SYS_sched_getattr, 0, &attr, 64, 0), 0, "of more than there is");
	is_true(attr.size == 56 && attr.more[0] == 7, attr.size, "which tells what there is");
	is(sys(SYS_sched_getattr, 0, NULL, 56, 0), -EINVAL, "no place");
	is(sys(SYS_sched_getattr, 0, &attr, 56, 1), -EINVAL, "a flag");
	is(sys(SYS_sched_getattr, -1, &attr, 56, 0), -EINVAL, "a negative number");
	is(sys(SYS_sched_getattr, 1 << 30, &attr, 56, 0), -ESRCH, "nobody");
}

static long set_attr(uint32_t policy, uint64_t flags, int nice, uint32_t priority)
{
	struct attr attr = { .size = 48, .policy = policy, .flags = flags, .nice = nice, .priority = priority };

	return sys(SYS_sched_setattr, 0, &attr, 0);
}

static void expect_attr(uint32_t policy, uint64_t flags, int nice, uint32_t priority, const char *name)
{
	struct attr attr;

	memset(&attr, 0xff, sizeof(attr));
	sys(SYS_sched_getattr, 0, &attr, 48, 0);
	is_true(attr.policy == policy && attr.flags == flags && attr.nice == nice && attr.priority == priority &&
			!attr.runtime && !attr.deadline && !attr.period,
		attr.policy * 1000000L + (long)attr.flags * 10000 + attr.nice * 100 + attr.priority, name);
}

static void test_attr(void)
{
	is(set_attr(OTHER, 0, 5, 0), 0, "nice 5");
	expect_attr(OTHER, 0, 5, 0, "is told");
	is(sys(SYS_getpriority, 0, 0), 15, "by getpriority, too");
	is(set_attr(BATCH, FLAG_RESET, 100, 0), 0, "SCHED_BATCH, nicer than anybody");
	expect_attr(BATCH, FLAG_RESET, 19, 0, "is as nice as can be");
	is(set_attr(IDLE, 0, 3, 0), 0, "SCHED_IDLE");
	expect_attr(IDLE, 0, 19, 0, "keeps the nice value");
	is(set_attr(FIFO, 0, 3, 7), 0, "SCHED_FIFO");
	expect_attr(FIFO, 0, 0, 7, "tells no nice value");
	is(sys(SYS_getpriority, 0, 0), 1, "but has the old one");
	is(sys(SYS_setpriority, 0, 0, 4), 0, "which can be set");
	is(set_attr(77, FLAG_KEEP_POLICY, 0, 8), 0, "with the policy kept, whatever one is named");
	expect_attr(FIFO, 0, 0, 8, "the priority changes");
	is(set_attr(RR, FLAG_KEEP_PARAMS | FLAG_RESET, 0, 9), 0, "with the parameters kept");
	expect_attr(FIFO, FLAG_RESET, 0, 8, "only the flag changes");
	is(set_attr(OTHER, FLAG_KEEP_PARAMS, 0, 0), -EINVAL, "its priority does not go with SCHED_OTHER");
	is(set_attr(77, FLAG_KEEP_POLICY, 0, 8), 0, "with the policy kept");
	expect_attr(FIFO, FLAG_RESET, 0, 8, "the flag stays");
	is(set_attr(77, 0, 0, 0), -EINVAL, "an unknown policy");
	is(set_attr(-1U, 0, 0, 0), -EINVAL, "policy -1");
	is(set_attr(OTHER, 0x80, 0, 0), -EINVAL, "an unknown flag");
	is(set_attr(OTHER, 6, 0, 0), 0, "flags of SCHED_DEADLINE mean nothing");
	is(set_attr(OTHER, 0x20, 0, 0), -EINVAL, "limits of the frequency without room for them");
	is(set_attr(OTHER, 0, -30, 0), 0, "a nice value below the least");
	expect_attr(OTHER, 0, -20, 0, "is the least");
	set_attr(OTHER, 0, 0, 0);
}

/* ---- the nice value of a group ---- */

#define GROUP_THREADS 12

static _Noreturn int wait_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		sys(SYS_pause);
}

/* A group of one process with many threads, and one with a single one: has each the nice value that the group gets? */
static int as_group(void *unused)
{
	static char stacks[GROUP_THREADS][4096] __attribute__((aligned(16)));
	int tids[GROUP_THREADS], other, seen = 0;

	(void)unused;
	setpgid(0, 0);
	for (int i = 0; i < GROUP_THREADS; i++)
		tids[i] = clone(wait_for_ever, stacks[i] + sizeof(stacks[i]),
				CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL);
	other = fork();
	if (other == 0)
		wait_for_ever(NULL);
	if (sys(SYS_setpriority, PRIO_PGRP, 0, 7) == 0)
		for (int i = 0; i < GROUP_THREADS; i++)
			seen += sys(SYS_getpriority, PRIO_PROCESS, tids[i]) == 13;
	seen += sys(SYS_getpriority, PRIO_PROCESS, other) == 13 && sys(SYS_getpriority, PRIO_PROCESS, 0) == 13;
	sys(SYS_setpriority, PRIO_PROCESS, tids[GROUP_THREADS / 2], 3);
	seen += sys(SYS_getpriority, PRIO_PGRP, getpid()) == 17;
	sys(SYS_kill, other, SIGKILL);
	seen += sys(SYS_wait4, other, NULL, 0, NULL) == other;
	return seen;
}

static void test_group(void)
{
	is(in_child(as_group, NULL), EXITED(GROUP_THREADS + 3), "a group gets a nice value, and tells the least");
	is(sys(SYS_getpriority, PRIO_PROCESS, 0), 20, "which others do not get");
	is(sys(SYS_getpriority, PRIO_PGRP, 4000000), -ESRCH, "of a group that is not there");
}

/* ---- fork, /proc ---- */

static void test_stat(void)
{
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	is(stat_field(18), 20, "the priority in /proc/self/stat");
	is(stat_field(40), 0, "the real-time priority");
	is(stat_field(41), OTHER, "the policy");
	set_attr(BATCH, 0, 7, 0);
	is_true(stat_field(18) == 27 && stat_field(19) == 7 && stat_field(41) == BATCH, stat_field(18),
		"of SCHED_BATCH");
	set(0, FIFO, 30);
	is_true(stat_field(18) == -31 && stat_field(19) == 7 && stat_field(40) == 30 && stat_field(41) == FIFO,
		stat_field(18), "of SCHED_FIFO");
	set(0, RR, 99);
	is_true(stat_field(18) == -100 && stat_field(40) == 99 && stat_field(41) == RR, stat_field(18), "of SCHED_RR");
	set_attr(OTHER, 0, 0, 0);
}

/* Return what a child inherits: policy * 10000 + priority * 100 + nice. */
static int inherited(void *unused)
{
	struct attr attr;

	(void)unused;
	sys(SYS_sched_getattr, 0, &attr, 48, 0);
	shared->counts[0] = attr.policy * 10000L + (long)attr.priority * 100 + attr.nice + (long)attr.flags * 1000000;
	return 0;
}

static void test_fork(void)
{
	set_attr(FIFO, 0, 0, 5);
	in_child(inherited, NULL);
	is(shared->counts[0], FIFO * 10000 + 500, "a child is scheduled as its parent");
	set_attr(FIFO, FLAG_RESET, 0, 5);
	in_child(inherited, NULL);
	is(shared->counts[0], OTHER, "unless the parent said no");
	is(sys(SYS_sched_getscheduler, 0), FIFO | RESET, "and goes on itself");
	set_attr(BATCH, FLAG_RESET, -5, 0);
	in_child(inherited, NULL);
	is(shared->counts[0], BATCH * 10000, "then it gets no better nice value than 0");
	set_attr(IDLE, FLAG_RESET, 0, 0);
	set_attr(OTHER, FLAG_RESET, 5, 0);
	in_child(inherited, NULL);
	is(shared->counts[0], 5, "but keeps a worse one");
	set_attr(OTHER, 0, 0, 0);
}

/* ---- the order ---- */

/*
 * Make a child with that policy, which runs once the caller sleeps. The priority that the child inherits, 50, is taken
 * away first: so the child queues behind its equals.
 */
static int child(int policy, int priority, void (*body)(char), char name)
{
	int pid = fork();

	if (pid == 0) {
		body(name);
		_exit(0);
	}
	set(pid, OTHER, 0);
	set(pid, policy, priority);
	return pid;
}

static void start(void)
{
	memset(shared, 0, sizeof(*shared));
	set(0, FIFO, 50);
}

/* Wait for all children, and check the order in which they noted their names. */
static void expect(const char *text, const char *name)
{
	while (sys(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
	set(0, OTHER, 0);
	is_text(shared->text, text, name);
}

static void twice(char name)
{
	note(name);
	compute_ms(15);
	note((char)(name | 0x20));
}

static void twice_yielding(char name)
{
	note(name);
	sys(SYS_sched_yield);
	note((char)(name | 0x20));
}

/* Compute until shared->go is set. */
static void until_go(char name)
{
	note(name);
	while (!shared->go)
		;
	note((char)(name | 0x20));
}

static void once(char name)
{
	note(name);
}

/* Sleep until a child has noted its name. */
static void wait_for_first(void)
{
	while (!shared->length)
		rest_ms(5);
}

/* Sleep until the futex word shared->go is woken. */
static void wait_for_wake(char name)
{
	sys(SYS_futex, &shared->go, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0);
	note(name);
}

/* Make a child that waits for shared->go, and move it to the waiters of shared->signals as soon as it does. */
static void add_waiter(int policy, int priority, char name)
{
	child(policy, priority, wait_for_wake, name);
	do
		rest_ms(2);
	while (sys(SYS_futex, &shared->go, 3 /* FUTEX_REQUEUE */, 0, 1L, &shared->signals, 0) != 1);
}

/* Check that a wake of a futex chooses the most urgent waiter, and of equals the one that has waited longest. */
static void test_futex_order(void)
{
	start();
	add_waiter(OTHER, 0, 'A');
	add_waiter(FIFO, 10, 'B');
	add_waiter(RR, 30, 'C');
	add_waiter(FIFO, 10, 'D');
	add_waiter(BATCH, 0, 'E');
	for (int i = 0; i < 5; i++) {
		is(sys(SYS_futex, &shared->signals, 1 /* FUTEX_WAKE */, 1, NULL, NULL, 0), 1, "a futex wakes one");
		while (shared->length <= i)
			rest_ms(2);
	}
	expect("CBDAE", "the most urgent first");
}

static void test_order(void)
{
	start();
	for (char name = 'A'; name <= 'C'; name++)
		child(FIFO, 10, twice, name);
	expect("AaBbCc", "SCHED_FIFO: each runs to its end, in the order in which they became ready");
	start();
	for (char name = 'A'; name <= 'C'; name++)
		child(FIFO, 10, twice_yielding, name);
	expect("ABCabc", "who yields goes behind its equals");
	start();
	child(FIFO, 10, once, 'A');
	child(FIFO, 30, once, 'B');
	child(RR, 20, once, 'C');
	child(FIFO, 99, once, 'D');
	child(OTHER, 0, once, 'E');
	expect("DBCAE", "the more urgent one runs first, and all before the others");
	start();
	child(FIFO, 10, until_go, 'A');
	child(FIFO, 10, once, 'B');
	wait_for_first();
	note('p');
	shared->go = 1;
	expect("ApaB", "who is interrupted goes on before its equals");
}

static void test_changes(void)
{
	int pids[4];

	start();
	pids[0] = child(FIFO, 10, once, 'A');
	pids[1] = child(FIFO, 10, once, 'B');
	pids[2] = child(FIFO, 12, once, 'C');
	pids[3] = child(FIFO, 9, once, 'D');
	set(pids[2], FIFO, 10);
	expect("CABD", "who is lowered goes before its new equals");
	start();
	pids[0] = child(FIFO, 9, once, 'A');
	pids[1] = child(FIFO, 10, once, 'B');
	pids[2] = child(FIFO, 10, once, 'C');
	set(pids[0], FIFO, 10);
	expect("BCA", "who is raised goes behind them");
	start();
	pids[0] = child(FIFO, 10, until_go, 'A');
	pids[1] = child(FIFO, 10, once, 'B');
	wait_for_first();
	set(pids[1], FIFO, 11);
	shared->go = 1;
	expect("ABa", "who is raised while another one runs takes the CPU from him");
	start();
	pids[0] = child(FIFO, 10, until_go, 'A');
	pids[1] = child(FIFO, 10, once, 'B');
	wait_for_first();
	set(pids[0], OTHER, 0);
	shared->go = 1;
	expect("ABa", "who is real-time no more waits for those that are");
}

static void count_until_go(char name)
{
	while (!shared->go)
		shared->counts[name - 'A']++;
	note(name);
}

static void test_turns(void)
{
	start();
	child(RR, 10, count_until_go, 'A');
	child(RR, 10, count_until_go, 'B');
	child(FIFO, 9, count_until_go, 'C');
	while (!shared->counts[0] || !shared->counts[1])
		rest_ms(10);
	is_true(shared->counts[0] && shared->counts[1], shared->counts[1], "SCHED_RR: equals take turns");
	is(shared->counts[2], 0, "before who is less urgent");
	shared->go = 1;
	expect(shared->text, "and end");
}

/* ---- others ---- */

static void forever(char name)
{
	for (;;)
		shared->counts[name - 'A']++;
}

static void test_share(void)
{
	int rt, other, status = 0;

	memset(shared, 0, sizeof(*shared));
	/* Other tasks run beside a real-time loop. This task is among them: without its share it could not go on. */
	other = child(OTHER, 0, forever, 'A');
	rt = child(FIFO, 99, forever, 'B');
	while (!shared->counts[1])
		rest_ms(1);
	for (long before = shared->counts[0]; shared->counts[0] == before;)
		rest_ms(1);
	is_true(shared->counts[1] > 0, shared->counts[1], "a real-time loop runs");
	is(sys(SYS_kill, rt, SIGKILL), 0, "and others beside it, who can end it");
	is(sys(SYS_wait4, rt, &status, 0, NULL), rt, "so that it ends");
	is(status, KILLED(SIGKILL), "by the signal");
	sys(SYS_kill, other, SIGKILL);
	sys(SYS_wait4, other, NULL, 0, NULL);
}

static long read_number(const char *path)
{
	char text[40] = "";
	int fd = (int)sys(SYS_open, path, O_RDONLY);

	sys(SYS_read, fd, text, sizeof(text) - 1);
	close(fd);
	return atol(text);
}

static void test_settings(void)
{
	const char *runtime = RT_RUNTIME, *period = "/proc/sys/kernel/sched_rt_period_us";
	const char *turn = "/proc/sys/kernel/sched_rr_timeslice_ms";
	struct timespec time = { 0, 0 };

	is(read_number(runtime), 950000, "sched_rt_runtime_us");
	is(read_number(period), 1000000, "sched_rt_period_us");
	is(read_number(turn), 100, "sched_rr_timeslice_ms");
	is(write_text(runtime, "1000001\n"), -EINVAL, "more than the period");
	is(write_text(runtime, "-2\n"), -EINVAL, "less than no limit");
	is(write_text(runtime, "x\n"), -EINVAL, "no number");
	is(write_text(period, "0\n"), -EINVAL, "no period");
	is(write_text(period, "900000\n"), -EINVAL, "a period below the runtime");
	is(read_number(runtime), 950000, "nothing has changed");
	is(write_text(runtime, "-1\n"), 3, "no limit");
	is(read_number(runtime), -1, "is told");
	is(write_text(period, "500000\n"), 7, "then the period may be any");
	is(write_text(runtime, "100000\n"), 7, "and a runtime within it");
	write_text(period, "1000000\n");
	is(write_text(runtime, "950000\n"), 7, "back as they were");
	is(write_text(turn, "40\n"), 3, "shorter turns");
	set(0, RR, 1);
	sys(SYS_sched_rr_get_interval, 0, &time);
	is(time.tv_nsec, 40000000, "are told");
	set(0, OTHER, 0);
	is(write_text(turn, "-1\n"), 3, "less than nothing");
	is(read_number(turn), 100, "is the length of before");
}

static void idle_beside(char name)
{
	while (!shared->go)
		shared->counts[name - 'A'] = cpu_ms();
}

/*
 * Let a SCHED_IDLE task compute beside another one until that one has had 400 ms. Returns the percentage of that time
 * that the SCHED_IDLE task has had.
 */
static long idle_percent(void)
{
	long percent;

	memset(shared, 0, sizeof(*shared));
	child(IDLE, 0, idle_beside, 'A');
	child(OTHER, 0, idle_beside, 'B');
	while (shared->counts[1] < 400)
		rest_ms(5);
	percent = shared->counts[0] * 100 / shared->counts[1];
	shared->go = 1;
	while (sys(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
	return percent;
}

static void test_idle(void)
{
	long percent = 100;

	/* If a host stalls the machine in the turn of the SCHED_IDLE task, that turn becomes longer: then try again. */
	for (int tries = 0; tries < 10 && percent > 20; tries++)
		percent = idle_percent();
	is_between(percent, 0, 20, "SCHED_IDLE has next to nothing beside others");
	memset(shared, 0, sizeof(*shared));
	child(IDLE, 0, idle_beside, 'A');
	while (shared->counts[0] < 50)
		rest_ms(5);
	shared->go = 1;
	while (sys(SYS_wait4, -1, NULL, 0, NULL) > 0)
		;
	is_true(shared->counts[0] >= 50, shared->counts[0], "but all that nobody wants");
}

/* ---- RLIMIT_RTTIME ---- */

static void count_signal(int signal)
{
	(void)signal;
	shared->signals++;
}

static int beyond_limit(void *unused)
{
	struct rlimit limit = { 150000, 150000 };

	(void)unused;
	setrlimit(RLIMIT_RTTIME, &limit);
	compute_ms(200);
	shared->go = 1;
	set(0, FIFO, 5);
	compute_ms(60000);
	return 1;
}

static int below_limit(void *unused)
{
	struct rlimit limit = { 150000, 150000 };

	(void)unused;
	set(0, RR, 5);
	setrlimit(RLIMIT_RTTIME, &limit);
	for (int i = 0; i < 6; i++) {
		compute_ms(40);
		rest_ms(1);
	}
	return 0;
}

static int second_by_second(void *unused)
{
	struct rlimit limit = { 50000, RLIM_INFINITY };
	struct sigaction action = { .sa_handler = count_signal };

	(void)unused;
	sigaction(SIGXCPU, &action, NULL);
	set(0, RR, 5);
	setrlimit(RLIMIT_RTTIME, &limit);
	for (long end = cpu_ms() + 60000; cpu_ms() < end && !shared->signals;)
		;
	set(0, OTHER, 0);
	getrlimit(RLIMIT_RTTIME, &limit);
	shared->counts[0] = (long)limit.rlim_cur;
	return 0;
}

static void test_rttime(void)
{
	int status = -1;

	memset(shared, 0, sizeof(*shared));
	is(in_child(beyond_limit, NULL), KILLED(SIGKILL), "RLIMIT_RTTIME ends a real-time task at the hard limit");
	is(shared->go, 1, "but not another task");
	/* If a host stalls the machine, the time of the stall counts as the task's: then try again. */
	for (int tries = 0; tries < 10 && status != EXITED(0); tries++)
		status = in_child(below_limit, NULL);
	is(status, EXITED(0), "who sleeps now and then begins anew");
	memset(shared, 0, sizeof(*shared));
	is(in_child(second_by_second, NULL), EXITED(0), "who catches SIGXCPU goes on");
	is_true(shared->signals > 0, shared->signals, "which the soft limit sends");
	is(shared->counts[0], 50000 + 1000000L * shared->signals, "and again each second, as the limit then says");
}

/* Compute on any CPU, and note on which, until the parent ends it. */
static int compute(long number)
{
	unsigned long all = ~0UL;
	unsigned cpu;

	sys(SYS_sched_setaffinity, 0, sizeof(all), &all);
	while (!shared->go) {
		sys(SYS_getcpu, &cpu, NULL, NULL);
		shared->counts[number] = (long)cpu + 1;
		for (volatile int i = 0; i < 10000; i++)
			;
	}
	return 0;
}

/*
 * Check that two tasks which compute do not stay together when a CPU is idle: both are on the first CPU until they may
 * run anywhere.
 */
static void test_spread(void)
{
	unsigned long all = ~0UL, there = 0;
	bool apart = false;

	memset(shared, 0, sizeof(*shared));
	sys(SYS_sched_setaffinity, 0, sizeof(all), &all);
	sys(SYS_sched_getaffinity, 0, sizeof(there), &there);
	stay_on_one_cpu();
	for (long number = 0; number < 2; number++)
		if (!fork())
			_exit(compute(number));
	for (int ms = 0; ms < 10000 && !apart; ms++) {
		usleep(1000);
		apart = shared->counts[0] && shared->counts[1] &&
			(shared->counts[0] != shared->counts[1] || !(there & (there - 1)));
	}
	shared->go = 1;
	for (int number = 0; number < 2; number++)
		wait(NULL);
	is_true(apart, there, "two tasks that may run anywhere use two CPUs, if there are as many");
}

int main(void)
{
	stay_on_one_cpu();
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test_set();
	test_errors();
	test_bounds();
	test_attr_sizes();
	test_attr();
	test_group();
	test_stat();
	test_cpus();
	test_fork();
	/* Let only real-time tasks run during these tests, however long they take. */
	write_text(RT_RUNTIME, "-1\n");
	test_order();
	test_futex_order();
	test_changes();
	test_turns();
	write_text(RT_RUNTIME, "950000\n");
	test_share();
	test_settings();
	test_idle();
	test_rttime();
	test_spread();
	return finish();
}
