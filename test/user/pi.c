/*
 * Tests futexes that are locks with priority inheritance, robust ones, and waits for several futexes: futex(2).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define WAIT       0
#define WAKE       1
#define REQUEUE    3
#define LOCK_PI    6
#define UNLOCK_PI  7
#define TRYLOCK_PI 8
#define LOCK_PI2   13
#define PRIVATE    128
#define REALTIME   256
#define WAITERS    0x80000000U
#define OWNER_DIED 0x40000000U
#define OWNER      0x3fffffffU

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

/* What this process, its children and its threads share. */
static struct shared {
	volatile unsigned word, other, third;
	volatile int step, order, result;
	volatile int tids[4];
} * shared;

static unsigned self(void)
{
	return (unsigned)sys(SYS_gettid);
}

static long futex(volatile unsigned *word, int operation, unsigned value, const void *timeout)
{
	return sys(SYS_futex, word, operation, value, timeout, NULL, 0);
}

static void nap(void)
{
	struct timespec time = { 0, 1000000 };

	sys(SYS_nanosleep, &time, NULL);
}

/* Return a time of a clock, some milliseconds from now. */
static struct timespec soon(int clock)
{
	struct timespec time;

	sys(SYS_clock_gettime, clock, &time);
	time.tv_nsec += 5000000;
	if (time.tv_nsec >= 1000000000) {
		time.tv_nsec -= 1000000000;
		time.tv_sec++;
	}
	return time;
}

static long end_of(pid_t child)
{
	int status = -1;

	while (sys(SYS_wait4, child, &status, 0, NULL) == -EINTR)
		;
	return status;
}

/* Wait until a task sleeps. */
static void await(int pid)
{
	char path[32], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		file = fopen(path, "r");
		if (!file || !fgets(line, sizeof(line), file))
			line[0] = 0;
		if (file)
			fclose(file);
	} while (!strstr(line, ") S "));
}

static void test_alone(void)
{
	const struct timespec past = { 1, 0 };

	shared->word = 0;
	is(futex(&shared->word, LOCK_PI, 0, NULL), 0, "FUTEX_LOCK_PI");
	is(shared->word, self(), "has the lock");
	is(futex(&shared->word, LOCK_PI, 0, NULL), -EDEADLK, "which cannot be had twice");
	is(futex(&shared->word, TRYLOCK_PI, 0, NULL), -EDEADLK, "nor tried");
	is(futex(&shared->word, UNLOCK_PI, 0, NULL), 0, "FUTEX_UNLOCK_PI");
	is(shared->word, 0, "gives it back");
	is(futex(&shared->word, UNLOCK_PI, 0, NULL), -EPERM, "once");
	is(futex(&shared->word, TRYLOCK_PI, 0, NULL), 0, "FUTEX_TRYLOCK_PI");
	is(futex(&shared->word, UNLOCK_PI | PRIVATE, 0, NULL), 0, "a private one is the same lock");
	shared->word = OWNER_DIED | WAITERS;
	is(futex(&shared->word, LOCK_PI, 0, &past), 0, "a lock whose owner has died");
	is(shared->word, OWNER_DIED | self(), "says so");
	futex(&shared->word, UNLOCK_PI, 0, NULL);
	shared->word = 0x3ffffffe;
	is(futex(&shared->word, LOCK_PI, 0, NULL), -ESRCH, "an owner that there is not");
	is(futex((unsigned *)((char *)shared + 1), LOCK_PI, 0, NULL), -EINVAL, "a word that is not aligned");
	is(futex((unsigned *)8, LOCK_PI, 0, NULL), -EFAULT, "a word that is not there");
	is(futex(&shared->word, LOCK_PI | REALTIME, 0, NULL), -ENOSYS, "LOCK_PI has one clock only");
	shared->word = 0;
	is(futex(&shared->word, LOCK_PI2 | REALTIME, 0, NULL), 0, "LOCK_PI2 has two");
	futex(&shared->word, UNLOCK_PI, 0, NULL);
}

/*
 * Make a child that locks the futex, and then appends the digit `mark` to shared->order. priority: the child's
 * real-time priority; NULL: none.
 */
static pid_t locker(int mark, const struct sched_param *priority)
{
	pid_t child = fork();

	if (child)
		return child;
	if (priority)
		sys(SYS_sched_setscheduler, 0, SCHED_FIFO, priority);
	if (futex(&shared->word, LOCK_PI, 0, NULL) != 0 || (shared->word & OWNER) != self())
		_exit(1);
	shared->order = shared->order * 10 + mark;
	_exit((int)-futex(&shared->word, UNLOCK_PI, 0, NULL));
}

static void on_signal(int signal)
{
	(void)signal;
}

static void test_waiting(void)
{
	struct timespec time;
	struct sigaction action = { .sa_handler = on_signal };
	pid_t first, second;

	shared->word = 0;
	shared->order = 0;
	sigaction(SIGUSR1, &action, NULL);
	futex(&shared->word, LOCK_PI, 0, NULL);
	first = locker(1, NULL);
	await(first);
	is(shared->word, self() | WAITERS, "who waits marks the word");
	is(futex(&shared->word, WAKE, 1, NULL), -EINVAL, "FUTEX_WAKE is not for such a lock");
	second = locker(2, NULL);
	await(second);
	kill(second, SIGUSR1);
	await(second);
	is(futex(&shared->word, UNLOCK_PI, 0, NULL), 0, "unlocking");
	is(end_of(first), 0, "gives it to the first");
	is(end_of(second), 0, "and then to the second, whom a signal did not disturb");
	is(shared->order, 12, "one after the other");
	is(futex(&shared->word, LOCK_PI, 0, NULL), 0, "it is free again");
	first = fork();
	if (!first) {
		time = soon(CLOCK_REALTIME);
		_exit((int)-futex(&shared->word, LOCK_PI, 0, &time));
	}
	is(end_of(first), EXITED(ETIMEDOUT), "a deadline");
	first = fork();
	if (!first) {
		time = soon(CLOCK_MONOTONIC);
		_exit((int)-futex(&shared->word, LOCK_PI2, 0, &time));
	}
	is(end_of(first), EXITED(ETIMEDOUT), "by the other clock");
	first = fork();
	if (!first)
		_exit((int)-futex(&shared->word, TRYLOCK_PI, 0, NULL));
	is(end_of(first), EXITED(EAGAIN), "FUTEX_TRYLOCK_PI does not wait");
	first = locker(3, NULL);
	await(first);
	kill(first, SIGKILL);
	is(end_of(first), KILLED(SIGKILL), "who waits is killed");
	is(futex(&shared->word, UNLOCK_PI, 0, NULL), 0, "and gets nothing");
	is(shared->word, 0, "the lock is free");
}

static pid_t dies_with(volatile unsigned *word)
{
	pid_t child = fork();

	if (child)
		return child;
	futex(word, LOCK_PI, 0, NULL);
	shared->step = 1;
	while (shared->step != 2)
		nap();
	_exit(0);
}

static void test_death(void)
{
	pid_t owner, waiter;

	shared->word = shared->step = 0;
	owner = dies_with(&shared->word);
	while (shared->step != 1)
		nap();
	waiter = fork();
	if (!waiter) {
		long result = futex(&shared->word, LOCK_PI, 0, NULL);

		_exit(result != 0 ? (int)-result : (shared->word & ~WAITERS) != (OWNER_DIED | self()));
	}
	await(waiter);
	shared->step = 2;
	is(end_of(owner), 0, "the owner ends with the lock");
	is(end_of(waiter), 0, "which the waiter gets, and is told of it");
	is(futex(&shared->word, LOCK_PI, 0, NULL), -ESRCH, "that one has ended as well");
}

static void test_deadlock(void)
{
	pid_t child;

	shared->word = shared->other = shared->step = 0;
	futex(&shared->word, LOCK_PI, 0, NULL);
	child = fork();
	if (!child) {
		futex(&shared->other, LOCK_PI, 0, NULL);
		shared->step = 1;
		_exit(futex(&shared->word, LOCK_PI, 0, NULL) != 0 || futex(&shared->word, UNLOCK_PI, 0, NULL) != 0 ||
		      futex(&shared->other, UNLOCK_PI, 0, NULL) != 0);
	}
	while (shared->step != 1)
		nap();
	await(child);
	is(futex(&shared->other, LOCK_PI, 0, NULL), -EDEADLK, "two who would wait for each other");
	futex(&shared->word, UNLOCK_PI, 0, NULL);
	is(end_of(child), 0, "one gives up, the other goes on");
	is(futex(&shared->other, LOCK_PI, 0, NULL), 0, "all is free then");
	futex(&shared->other, UNLOCK_PI, 0, NULL);
}

/* ---- the library's mutexes ---- */

static pthread_mutex_t mutex;
static volatile int counter;

static void *count(void *argument)
{
	for (int i = 0; i < 500; i++) {
		if (pthread_mutex_lock(&mutex) != 0)
			return argument;
		counter++;
		if (i % 50 == 0)
			sched_yield();
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *end_with_lock(void *argument)
{
	pthread_mutex_lock(&mutex);
	return argument;
}

static void test_mutexes(void)
{
	pthread_mutexattr_t attributes;
	pthread_t threads[4];
	void *result;
	long failed = 0;

	pthread_mutexattr_init(&attributes);
	is(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT), 0, "PTHREAD_PRIO_INHERIT");
	pthread_mutex_init(&mutex, &attributes);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_create(&threads[i], NULL, count, &mutex);
	for (size_t i = 0; i < COUNT(threads); i++) {
		pthread_join(threads[i], &result);
		failed += result != NULL;
	}
	is(failed, 0, "threads lock and unlock");
	is(counter, 2000, "one at a time");
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attributes);
	pthread_create(&threads[0], NULL, end_with_lock, NULL);
	pthread_join(threads[0], NULL);
	is(pthread_mutex_lock(&mutex), EOWNERDEAD, "a robust one whose owner has ended");
	is(pthread_mutex_consistent(&mutex), 0, "is put right");
	is(pthread_mutex_unlock(&mutex), 0, "and unlocked");
	is(pthread_mutex_lock(&mutex), 0, "and can be used again");
	pthread_mutex_unlock(&mutex);
}

/* ---- priorities ---- */

static int priority_in_stat(int pid)
{
	char path[32], line[512], *at;
	int priority = -1000;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (file && fgets(line, sizeof(line), file)) {
		at = strrchr(line, ')');
		for (int field = 2; at && field < 18; field++)
			at = strchr(at + 1, ' ');
		if (at)
			priority = atoi(at + 1);
	}
	if (file)
		fclose(file);
	return priority;
}

static void test_inheritance(void)
{
	struct sched_param high = { .sched_priority = 30 }, low = { .sched_priority = 20 };
	const struct sched_param higher = { .sched_priority = 40 };
	pid_t owner, first, second;

	if (geteuid() != 0)
		return;
	shared->word = shared->step = shared->order = 0;
	owner = fork();
	if (!owner) {
		futex(&shared->word, LOCK_PI, 0, NULL);
		shared->step = 1;
		while (shared->step != 2)
			nap();
		_exit((int)-futex(&shared->word, UNLOCK_PI, 0, NULL));
	}
	while (shared->step != 1)
		nap();
	is(priority_in_stat(owner), 20, "an owner without real-time priority");
	first = locker(1, &low);
	await(first);
	is(priority_in_stat(owner), -21, "has that of who waits");
	is(sys(SYS_sched_getscheduler, owner), SCHED_OTHER, "though not by its own policy");
	second = locker(2, &high);
	await(second);
	is(priority_in_stat(owner), -31, "and the highest of several");
	is(sys(SYS_sched_setscheduler, first, SCHED_FIFO, &higher), 0, "one who waits gets a higher priority");
	is(priority_in_stat(owner), -41, "which the owner then has as well");
	sys(SYS_sched_setscheduler, first, SCHED_FIFO, &low);
	is(priority_in_stat(owner), -31, "for as long as that lasts");
	shared->step = 2;
	is(end_of(owner), 0, "the owner unlocks");
	is(end_of(first), 0, "those who wait");
	is(end_of(second), 0, "get the lock");
	is(shared->order, 21, "the highest priority first");
}

/* ---- several futexes ---- */

struct waitv {
	uint64_t value, at;
	uint32_t flags, reserved;
};

static long wait_for(struct waitv *words, unsigned number, const struct timespec *until, int clock)
{
	return sys(SYS_futex_waitv, words, number, 0, until, clock);
}

static void test_waitv(void)
{
	struct waitv words[3] = { { 0, (uint64_t)&shared->word, 2, 0 },
				  { 0, (uint64_t)&shared->other, 2, 0 },
				  { 0, (uint64_t)&shared->third, 2, 0 } };
	struct timespec time = soon(CLOCK_MONOTONIC);
	pid_t child;

	shared->word = shared->other = shared->third = 0;
	is(wait_for(words, 3, &time, CLOCK_MONOTONIC), -ETIMEDOUT, "futex_waitv: a deadline");
	time = soon(CLOCK_REALTIME);
	is(wait_for(words, 3, &time, CLOCK_REALTIME), -ETIMEDOUT, "by either clock");
	is(wait_for(words, 3, &time, CLOCK_BOOTTIME), -EINVAL, "and no other");
	is(wait_for(words, 0, NULL, 0), -EINVAL, "no words");
	is(wait_for(words, 129, NULL, 0), -EINVAL, "too many");
	is(sys(SYS_futex_waitv, words, 3, 1, NULL, 0), -EINVAL, "an unknown flag");
	is(sys(SYS_futex_waitv, 8, 3, 0, NULL, 0), -EFAULT, "words that are not there");
	words[1].flags = 0;
	is(wait_for(words, 3, NULL, 0), -EINVAL, "a word of no size");
	words[1].flags = 2;
	shared->third = 1;
	is(wait_for(words, 3, NULL, 0), -EAGAIN, "a word that has another value");
	shared->third = 0;
	child = fork();
	if (!child)
		_exit((int)wait_for(words, 3, NULL, 0) + 10);
	await(child);
	is(futex(&shared->other, WAKE, 5, NULL), 1, "one who waits for three words");
	is(end_of(child), EXITED(11), "is woken by the second");
	is(futex(&shared->word, WAKE, 5, NULL), 0, "and waits for none any more");
}

/*
 * Let three children each wait for one word as often as one call allows: the kernel then wakes them in several steps.
 */
static void test_waitv_most(void)
{
	struct waitv words[128];
	pid_t children[3];
	long ended = 0;

	shared->word = 0;
	for (size_t i = 0; i < COUNT(words); i++)
		words[i] = (struct waitv){ 0, (uint64_t)&shared->word, 2, 0 };
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = fork();
		if (!children[i])
			_exit(wait_for(words, COUNT(words), NULL, 0) < 0);
		await(children[i]);
	}
	is(futex(&shared->word, WAKE, 1000, NULL) > 256, 1, "each of a task's many waits for a word can be woken");
	for (size_t i = 0; i < COUNT(children); i++)
		ended += end_of(children[i]) == EXITED(0);
	is(ended, 3, "and ends the call");
	is(futex(&shared->word, WAKE, 1000, NULL), 0, "with all of its waits");
}

int main(void)
{
	/* Linux has no /proc yet when this program is its first one. */
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	test_alone();
	test_waiting();
	test_death();
	test_deadlock();
	test_mutexes();
	test_inheritance();
	test_waitv();
	test_waitv_most();
	return finish();
}
