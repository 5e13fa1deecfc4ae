/* Processes and threads: switching between two, making one and waiting for its end. See bench.h. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/user/bench/bench.h"

#define FUTEX_WAIT         0
#define FUTEX_WAIT_PRIVATE 128
#define FUTEX_WAKE_PRIVATE 129
#define PIECES             4 /* of 1 MiB, touched before a fork */

static char *const tiny[] = { (char *)"/tiny", NULL };
static char *const dynamic[] = { (char *)"/dynamic", NULL };
static char *const large[] = { (char *)"/large", NULL };

long fork_child(void)
{
	long child = sys(SYS_fork);

	if (child < 0)
		failed("fork", child);
	return child;
}

void wait_for(long child)
{
	int status = -1;
	long result = sys(SYS_wait4, child, &status, 0, 0);

	if (result != child || status != 0)
		failed("wait4", result == child ? status : result);
}

static void *shared_page(void)
{
	long page = sys(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page < 0 && page > -4096)
		failed("mmap of shared memory", page);
	return (void *)page;
}

/* Parent and child yield to each other. An operation is one yield and the switch that it makes. */
uint64_t bench_yield(unsigned count)
{
	struct {
		atomic_uint turns[2];
		atomic_bool stop;
	} *shared = shared_page();
	unsigned turns;
	uint64_t start;
	long child = fork_child();

	if (child == 0) {
		while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
			atomic_fetch_add_explicit(&shared->turns[1], 1, memory_order_relaxed);
			sys(SYS_sched_yield);
		}
		sys(SYS_exit_group, 0);
	}
	while (atomic_load(&shared->turns[1]) < 10)
		sys(SYS_sched_yield);
	turns = atomic_load(&shared->turns[1]);
	start = meter_read();
	for (unsigned i = 0; i < count / 2; i++)
		sys(SYS_sched_yield);
	start = meter_read() - start;
	turns = atomic_load(&shared->turns[1]) - turns;
	atomic_store(&shared->stop, true);
	wait_for(child);
	sys(SYS_munmap, shared, PAGE);
	/* A timer's tick may add or take a turn. */
	if (turns + 8 < count / 2 || turns > count / 2 + 8)
		failed("turns of the other process", turns);
	return start;
}

static atomic_uint turn;
static unsigned futex_count;

/* Wait until the turn is `mine`, then give it to the other. */
static void take_turn(unsigned mine)
{
	while (atomic_load(&turn) != mine)
		sys(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1 - mine, NULL);
	atomic_store(&turn, 1 - mine);
	sys(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1);
}

static void *other_side(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < futex_count; i++)
		take_turn(1);
	return NULL;
}

/* Two threads take turns. An operation is one way: a wake, a wait and the switch. */
uint64_t bench_futex(unsigned count)
{
	pthread_t thread;
	uint64_t start;

	atomic_store(&turn, 0);
	count /= 2;
	futex_count = count;
	if (pthread_create(&thread, NULL, other_side, NULL) != 0)
		failed("pthread_create", 0);
	start = meter_read();
	for (unsigned i = 0; i < count; i++)
		take_turn(0);
	while (atomic_load(&turn) != 0)
		sys(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1, NULL);
	start = meter_read() - start;
	pthread_join(thread, NULL);
	return start;
}

static int end_thread(void *unused)
{
	(void)unused;
	return 0;
}

/* A thread by the call itself, on a stack that is there, waited for as pthread_join() does. */
uint64_t bench_thread(unsigned count)
{
	static char stack[16384] __attribute__((aligned(16)));
	static atomic_int tid;
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		int seen, thread = clone(end_thread, stack + sizeof(stack), flags, NULL, &tid, NULL, &tid);

		if (thread < 0)
			failed("clone", thread);
		while ((seen = atomic_load(&tid)) != 0)
			sys(SYS_futex, &tid, FUTEX_WAIT, seen, NULL);
	}
	return meter_read() - start;
}

static void *nothing(void *unused)
{
	return unused;
}

/* The same by the library, which makes the stack and removes it. */
uint64_t bench_pthread(unsigned count)
{
	uint64_t start = meter_read();
	pthread_t thread;

	for (unsigned i = 0; i < count; i++) {
		if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
			failed("pthread_create", i);
	}
	return meter_read() - start;
}

uint64_t bench_fork(unsigned count)
{
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		long child = fork_child();

		if (child == 0)
			sys(SYS_exit_group, 0);
		wait_for(child);
	}
	return meter_read() - start;
}

uint64_t bench_fork_touched(unsigned count)
{
	char *pieces[PIECES];
	uint64_t spent;

	for (int i = 0; i < PIECES; i++)
		pieces[i] = touched();
	spent = bench_fork(count);
	for (int i = 0; i < PIECES; i++)
		sys(SYS_munmap, pieces[i] - PAGE, (PAGES + 2) * PAGE);
	return spent;
}

/* With 16 GiB of address space that nobody has touched. */
uint64_t bench_fork_reserved(unsigned count)
{
	const unsigned long size = 16UL << 30;
	char *reserved = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t spent;

	if (reserved == MAP_FAILED)
		failed("mmap of 16 GiB", 0);
	spent = bench_fork(count);
	munmap(reserved, size);
	return spent;
}

static uint64_t execute(char *const *arguments, unsigned count)
{
	uint64_t start = meter_read();

	for (unsigned i = 0; i < count; i++) {
		long child = fork_child();

		if (child == 0) {
			sys(SYS_execve, arguments[0], arguments, arguments + 1);
			sys(SYS_exit_group, 1);
		}
		wait_for(child);
	}
	return meter_read() - start;
}

uint64_t bench_exec(unsigned count)
{
	return execute(tiny, count);
}

/* Debian's /bin/true: a loader, which maps and links the C library. */
uint64_t bench_exec_dynamic(unsigned count)
{
	return execute(dynamic, count);
}

uint64_t bench_exec_large(unsigned count)
{
	return execute(large, count);
}
