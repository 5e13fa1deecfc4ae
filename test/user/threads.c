/*
 * Tests clone, futex, set_tid_address, set_robust_list, gettid, tgkill, sched_yield, sched_getaffinity, and pthreads,
 * which use them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL      ((void *)(-1UL << 31))
#define WAIT        0
#define WAKE        1
#define REQUEUE     3
#define CMP_REQUEUE 4
#define WAIT_BITSET 9
#define WAKE_BITSET 10
#define PRIVATE     128
#define REALTIME    256

#define THREADS 4
#define ROUNDS  2000

static atomic_int word, other_word, woken, started;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter;
static __thread long local = 7;

static void pause_ms(long ms)
{
	struct timespec pause = { 0, ms * 1000000 };

	nanosleep(&pause, NULL);
}

/* Wait, without an end, until `count` is at least `value`. */
static void wait_until(atomic_int *count, int value)
{
	while (atomic_load(count) < value)
		sys(SYS_sched_yield);
}

/* Words that a call without FUTEX_PRIVATE_FLAG looks for: a private address is only compared. */
static void test_absent_words(void)
{
	static int here;
	char *gone = fresh(PAGE, PROT_READ | PROT_WRITE), *closed = fresh(PAGE, PROT_NONE), *beyond;
	long file = sys(SYS_memfd_create, "words", 0);

	munmap(gone, PAGE);
	sys(SYS_ftruncate, file, PAGE);
	beyond = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, (int)file, 0);
	sys(SYS_ftruncate, file, 0);
	is(sys(SYS_futex, gone, WAKE, 1), -EFAULT, "futex(WAKE) where nothing is mapped");
	is(sys(SYS_futex, gone, WAKE | PRIVATE, 1), 0, "a private one does not look");
	is(sys(SYS_futex, closed, WAKE, 1), -EFAULT, "without rights");
	is(sys(SYS_futex, beyond, WAKE, 1), -EFAULT, "behind the end of a file");
	is(sys(SYS_futex, &here, CMP_REQUEUE, 1, 1, gone, 0), -EFAULT, "futex(CMP_REQUEUE) to where nothing is mapped");
	is(sys(SYS_futex, &here, CMP_REQUEUE, 1, 1, closed, 0), -EFAULT, "or to where there are no rights");
	munmap(closed, PAGE);
	munmap(beyond, PAGE);
	sys(SYS_close, file);
}

static void test_futex_errors(void)
{
	struct timespec past = { 0, 1000000 }, bad = { 0, 1000000000 };

	atomic_store(&word, 5);
	is(sys(SYS_futex, &word, WAKE | PRIVATE, 1), 0, "futex(WAKE) with nobody there");
	is(sys(SYS_futex, &word, WAIT | PRIVATE, 4, NULL), -EAGAIN, "futex(WAIT) for another value");
	is(sys(SYS_futex, &word, WAIT | PRIVATE, 5, &past), -ETIMEDOUT, "futex(WAIT) with a limit");
	is(sys(SYS_futex, &word, WAIT, 5, &past), -ETIMEDOUT, "futex(WAIT), not private, with a limit");
	is(sys(SYS_futex, &word, WAIT_BITSET | PRIVATE, 5, &past, NULL, ~0U), -ETIMEDOUT,
	   "futex(WAIT_BITSET) until a time that is past");
	is(sys(SYS_futex, &word, WAIT_BITSET | PRIVATE | REALTIME, 5, &past, NULL, ~0U), -ETIMEDOUT,
	   "by the wall clock too");
	is(sys(SYS_futex, &word, WAIT_BITSET | PRIVATE, 5, NULL, NULL, 0), -EINVAL, "futex(WAIT_BITSET) for no bit");
	is(sys(SYS_futex, &word, WAKE_BITSET | PRIVATE, 1, NULL, NULL, 0), -EINVAL, "futex(WAKE_BITSET) of no bit");
	is(sys(SYS_futex, &word, WAIT | PRIVATE, 5, &bad), -EINVAL, "futex(WAIT) with a bad time");
	is(sys(SYS_futex, (char *)&word + 1, WAKE | PRIVATE, 1), -EINVAL, "futex at an odd address");
	is(sys(SYS_futex, NULL, WAIT | PRIVATE, 0, NULL), -EFAULT, "futex at NULL");
	is(sys(SYS_futex, KERNEL, WAIT | PRIVATE, 0, NULL), -EFAULT, "futex at a kernel address");
	is(sys(SYS_futex, KERNEL, WAKE, 1), -EFAULT, "futex(WAKE) at a kernel address");
	test_absent_words();
	is(sys(SYS_futex, &word, 77, 0), -ENOSYS, "futex that does not exist");
	is(sys(SYS_futex, &word, CMP_REQUEUE | PRIVATE, 1, 1, &other_word, 4), -EAGAIN,
	   "futex(CMP_REQUEUE) for another value");
	is(sys(SYS_futex, &word, REQUEUE | PRIVATE, -1, 1, &other_word), -EINVAL, "futex(REQUEUE) that wakes -1");
}

static void *wait_on_word(void *bits)
{
	atomic_fetch_add(&started, 1);
	if (sys(SYS_futex, &word, WAIT_BITSET | PRIVATE, 0, NULL, NULL, bits) == 0)
		atomic_fetch_add(&woken, 1);
	return NULL;
}

/* Start `count` threads that wait for bits 1, 2, 4, ... of a futex, and leave them time to fall asleep. */
static void start_waiters(pthread_t *threads, int count)
{
	atomic_store(&word, 0);
	atomic_store(&started, 0);
	atomic_store(&woken, 0);
	for (int i = 0; i < count; i++) {
		if (pthread_create(&threads[i], NULL, wait_on_word, (void *)(1UL << i)) != 0)
			bail("pthread_create", i);
	}
	wait_until(&started, count);
	pause_ms(30);
}

/*
 * Wake up to `count` of the waiters; try again while some are still on their way to sleep. Returns how many were woken.
 */
static long wake(int operation, int count, unsigned bits)
{
	long done = 0;

	for (int tries = 0; tries < 100 && done < count; tries++) {
		done += sys(SYS_futex, &word, operation | PRIVATE, count - done, NULL, NULL, bits);
		if (done < count)
			pause_ms(10);
	}
	return done;
}

static void test_futex_wakes(void)
{
	pthread_t threads[THREADS];

	start_waiters(threads, THREADS);
	is(wake(WAKE, 1, 0), 1, "futex(WAKE) wakes one");
	wait_until(&woken, 1);
	is(atomic_load(&woken), 1, "one runs");
	is(wake(WAKE, 3, 0), 3, "futex(WAKE) wakes three");
	is(sys(SYS_futex, &word, WAKE | PRIVATE, INT_MAX), 0, "nobody is left");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is(atomic_load(&woken), THREADS, "all have run");

	start_waiters(threads, THREADS);
	is(sys(SYS_futex, &word, WAKE_BITSET | PRIVATE, INT_MAX, NULL, NULL, 1 << 7), 0,
	   "futex(WAKE_BITSET) with a bit that nobody waits for");
	is(wake(WAKE_BITSET, 1, 1 << 2), 1, "with a bit that one waits for");
	is(wake(WAKE_BITSET, 2, 3), 2, "with bits that two wait for");
	is(wake(WAKE_BITSET, 1, ~0U), 1, "with all bits");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void test_futex_requeue(void)
{
	pthread_t threads[THREADS];
	long moved = 0;

	start_waiters(threads, THREADS);
	for (int tries = 0; tries < 100 && moved < THREADS; tries++) {
		moved += sys(SYS_futex, &word, CMP_REQUEUE | PRIVATE, moved == 0, THREADS, &other_word, 0);
		pause_ms(10);
	}
	is(moved, THREADS, "futex(CMP_REQUEUE) wakes one and moves three");
	wait_until(&woken, 1);
	is(sys(SYS_futex, &word, WAKE | PRIVATE, INT_MAX), 0, "nobody waits at the old place");
	is(atomic_load(&woken), 1, "one has run");
	is(sys(SYS_futex, &other_word, REQUEUE | PRIVATE, 1, 1, &word), 2, "futex(REQUEUE) wakes one and moves one");
	is(sys(SYS_futex, &word, WAKE | PRIVATE, INT_MAX), 1, "one waits at the other place");
	is(sys(SYS_futex, &other_word, WAKE | PRIVATE, INT_MAX), 1, "and one where it was");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	is(atomic_load(&woken), THREADS, "all have run");
}

static void *count_up(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		if (i % 100 == 0)
			sched_yield();
		pthread_mutex_unlock(&mutex);
		local++;
	}
	return (void *)local;
}

static void *tell_ids(void *result)
{
	((long *)result)[0] = sys(SYS_gettid);
	((long *)result)[1] = sys(SYS_getpid);
	return NULL;
}

static void test_pthreads(void)
{
	pthread_t threads[THREADS];
	long ids[2] = { 0, 0 }, locals = 0;
	void *result;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count_up, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		locals += (long)result;
	}
	is(counter, THREADS * ROUNDS, "four threads count under a mutex");
	is(locals, THREADS * (ROUNDS + 7), "each has a variable of its own");
	is(local, 7, "and so has the first");
	pthread_create(&threads[0], NULL, tell_ids, ids);
	pthread_join(threads[0], NULL);
	is(ids[1], sys(SYS_getpid), "a thread has its process's number");
	is_true(ids[0] != ids[1] && ids[0] > 0, ids[0], "and one of its own");
	is(sys(SYS_gettid), sys(SYS_getpid), "the first thread's is the process's");
	for (int i = 0; i < 100; i++) {
		if (pthread_create(&threads[0], NULL, tell_ids, ids) != 0 || pthread_join(threads[0], NULL) != 0)
			bail("pthread_create", i);
	}
	is_true(true, 0, "100 threads one after the other");
}

static void *ping(void *rounds)
{
	for (long i = 0; i < (long)rounds; i++) {
		pthread_mutex_lock(&mutex);
		while (counter % 2 == 0)
			pthread_cond_wait(&condition, &mutex);
		counter++;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void test_condition(void)
{
	struct timespec until;
	pthread_t thread;

	counter = 0;
	pthread_create(&thread, NULL, ping, (void *)500);
	for (long i = 0; i < 500; i++) {
		pthread_mutex_lock(&mutex);
		while (counter % 2 == 1)
			pthread_cond_wait(&condition, &mutex);
		counter++;
		pthread_cond_signal(&condition);
		pthread_mutex_unlock(&mutex);
	}
	pthread_join(thread, NULL);
	is(counter, 1000, "two threads take turns with a condition");
	clock_gettime(CLOCK_REALTIME, &until);
	pthread_mutex_lock(&mutex);
	is(pthread_cond_timedwait(&condition, &mutex, &until), ETIMEDOUT, "a wait with a limit ends");
	pthread_mutex_unlock(&mutex);
}

static int clear_word(void *unused)
{
	(void)unused;
	return 0;
}

static void test_clone(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		    CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	static volatile int parent_tid, child_tid;
	int seen;
	long thread;

	child_tid = -1;
	/* This thread has no TLS of its own, so it must do nothing that uses it. */
	thread = clone(clear_word, stack + sizeof(stack), flags, NULL, &parent_tid, NULL, &child_tid);
	is_true(thread > 0, thread, "clone makes a thread");
	is(parent_tid, thread, "CLONE_PARENT_SETTID stores its number");
	while ((seen = child_tid) != 0)
		sys(SYS_futex, &child_tid, WAIT, seen, NULL);
	is(child_tid, 0, "CLONE_CHILD_CLEARTID clears it and wakes who waits");
	/* The thread clears the word while it ends, so it may still be there for a moment. */
	for (int tries = 0; tries < 100 && sys(SYS_tgkill, sys(SYS_getpid), thread, 0) == 0; tries++)
		pause_ms(10);
	is(sys(SYS_tgkill, sys(SYS_getpid), thread, 0), -ESRCH, "the thread is gone");
	is(sys(SYS_set_tid_address, &child_tid), sys(SYS_gettid), "set_tid_address tells the thread's number");
	is(sys(SYS_set_robust_list, stack, 24), 0, "set_robust_list");
	is(sys(SYS_set_robust_list, stack, 23), -EINVAL, "set_robust_list of another size");
	sys(SYS_set_robust_list, NULL, 24);
}

static void *exit_all(void *code)
{
	sys(SYS_exit_group, code);
	return NULL;
}

static _Noreturn void wait_for_ever(void)
{
	static int never;

	for (;;)
		sys(SYS_futex, &never, WAIT | PRIVATE, 0, NULL);
}

static void *start_and_wait(void *unused)
{
	(void)unused;
	atomic_fetch_add(&started, 1);
	wait_for_ever();
	return NULL;
}

/* Check a process of which one thread waits while another ends them all. */
static int exit_from_thread(void *code)
{
	pthread_t threads[2];

	atomic_store(&started, 0);
	pthread_create(&threads[0], NULL, start_and_wait, NULL);
	wait_until(&started, 1);
	pthread_create(&threads[1], NULL, exit_all, code);
	wait_for_ever();
	return 1;
}

static int exit_first_thread(void *code)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exit_all, code);
	sys(SYS_exit, 55);
	return 1;
}

static void *fault(void *unused)
{
	(void)unused;
	return (void *)(long)touch_read(NULL);
}

static int fault_in_thread(void *unused)
{
	pthread_t thread;

	(void)unused;
	pthread_create(&thread, NULL, fault, NULL);
	wait_for_ever();
	return 1;
}

static void test_process_end(void)
{
	is(in_child(exit_from_thread, (void *)31), EXITED(31), "exit_group in a thread ends the process");
	is(in_child(exit_first_thread, (void *)32), EXITED(32), "exit of the first thread does not");
	is(in_child(fault_in_thread, NULL), KILLED(SIGSEGV), "a fault in a thread ends the process");
}

static atomic_int handled_by;

static void handle(int signal)
{
	(void)signal;
	atomic_store(&handled_by, (int)sys(SYS_gettid));
}

static atomic_int waiter_tid;

static void *wait_for_signal(void *unused)
{
	(void)unused;
	atomic_store(&waiter_tid, (int)sys(SYS_gettid));
	while (atomic_load(&handled_by) == 0)
		sys(SYS_sched_yield);
	return NULL;
}

static void test_thread_signal(void)
{
	pthread_t thread;

	signal(SIGUSR1, handle);
	pthread_create(&thread, NULL, wait_for_signal, NULL);
	wait_until(&waiter_tid, 1);
	is(sys(SYS_tgkill, sys(SYS_getpid), atomic_load(&waiter_tid), SIGUSR1), 0, "tgkill to another thread");
	pthread_join(thread, NULL);
	is(atomic_load(&handled_by), atomic_load(&waiter_tid), "that thread runs the handler");
}

static void test_scheduler(void)
{
	unsigned long set[16] = { 0 };
	long size = sys(SYS_sched_getaffinity, 0, sizeof(set), set);

	is(sys(SYS_sched_yield), 0, "sched_yield");
	is_true(size >= 8 && size % 8 == 0, size, "sched_getaffinity tells the size of its set");
	is_true((set[0] & 1) != 0, (long)set[0], "with CPU 0 in it");
	is(sys(SYS_sched_getaffinity, 0, 4, set), -EINVAL, "sched_getaffinity with 4 bytes");
	is(sys(SYS_sched_getaffinity, 0, sizeof(set), KERNEL), -EFAULT, "sched_getaffinity to a kernel address");
	is(sys(SYS_sched_getaffinity, 1 << 30, sizeof(set), set), -ESRCH, "sched_getaffinity of a task that is none");
}

#define BOMB_LIMIT 60

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

/*
 * Make as many threads as there may be, in a child. Returns how many that are, or 255 for an error other than EAGAIN.
 */
static int make_threads(void *unused)
{
	struct rlimit limit = { BOMB_LIMIT, BOMB_LIMIT };
	pthread_attr_t attributes;
	pthread_t thread;
	int error = 0, made = 0;

	(void)unused;
	/* become a user: root has no limit, and tasks of other users do not count */
	sys(SYS_setuid, 1000);
	sys(SYS_setrlimit, RLIMIT_NPROC, &limit);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
	for (; made < 2 * BOMB_LIMIT && !error; made += !error)
		error = pthread_create(&thread, &attributes, sleep_for_ever, NULL);
	if (error != EAGAIN && error)
		return 255;
	/* a process is refused, too */
	return sys(SYS_clone, SIGCHLD, 0, 0, 0, 0) == -EAGAIN ? made : 254;
}

static void test_limit(void)
{
	int status = in_child(make_threads, NULL);

	is_between(status >> 8, BOMB_LIMIT / 2, BOMB_LIMIT, "RLIMIT_NPROC counts threads");
}

int main(void)
{
	test_futex_errors();
	test_futex_wakes();
	test_futex_requeue();
	test_pthreads();
	test_condition();
	test_clone();
	test_process_end();
	test_thread_signal();
	test_scheduler();
	test_limit();
	return finish();
}
