/*
 * What operations cost when several CPUs do them at once, as /init on this kernel and on Linux alike (make bench-smp).
 *
 * For each row as many processes as there are CPUs, and then as many threads of one process, do the same operation some
 * times. The CPU that begins and ends a row executes marks, between which QEMU's plugin counts the instructions of all
 * CPUs (test/qemu/count_plugin.c). Prints `smp KIND NAME OPERATIONS` for each row, in the order of the counts, and
 * powers off.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/sys.h"

#define WORKERS_MOST 64
#define PAGE         4096
#define PAGES        64 /* touched at a time */

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1

static bool threads; /* workers are threads of this process; false: processes */

static void power_off(void)
{
	fflush(stdout);
	sys(SYS_reboot, 0xfee1dead, 0x28121969, 0x4321fedc, 0);
	_exit(1);
}

static long must(long result, const char *what)
{
	if (result >= 0 || result < -4095)
		return result;
	printf("smp failed: %s: %ld\n", what, result);
	power_off();
	return -1;
}

/* Words that processes share: each a futex in a line of its own. */
struct word {
	_Alignas(64) int value;
};

static struct shared {
	struct word ready, go, done, turns[WORKERS_MOST];
} * shared;

static void word_wait(struct word *word, int while_value)
{
	while (__atomic_load_n(&word->value, __ATOMIC_ACQUIRE) == while_value)
		sys(SYS_futex, &word->value, FUTEX_WAIT, while_value, NULL);
}

static void word_set(struct word *word, int value)
{
	__atomic_store_n(&word->value, value, __ATOMIC_RELEASE);
	sys(SYS_futex, &word->value, FUTEX_WAKE, WORKERS_MOST, NULL);
}

static void word_add(struct word *word)
{
	__atomic_add_fetch(&word->value, 1, __ATOMIC_ACQ_REL);
	sys(SYS_futex, &word->value, FUTEX_WAKE, WORKERS_MOST, NULL);
}

/* A task that works with a worker: a thread or a process, as the workers are. */
struct partner {
	pthread_t thread;
	pid_t process;
};

static void partner_start(struct partner *partner, void *(*body)(void *argument), void *argument)
{
	if (threads) {
		must(-pthread_create(&partner->thread, NULL, body, argument), "a thread");
		return;
	}
	partner->process = (pid_t)must(sys(SYS_fork), "fork");
	if (!partner->process) {
		body(argument);
		_exit(0);
	}
}

static void partner_join(const struct partner *partner)
{
	if (threads)
		must(-pthread_join(partner->thread, NULL), "join");
	else
		must(sys(SYS_wait4, partner->process, NULL, 0, NULL), "wait4");
}

/* ---- the rows: worker number `self` does its operation `count` times ---- */

static void get_pid(unsigned self, unsigned count)
{
	(void)self;
	while (count--)
		sys(SYS_getpid);
}

static char *map_pages(unsigned pages)
{
	return (char *)must(sys(SYS_mmap, 0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			    "mmap");
}

static void touch(unsigned self, unsigned count)
{
	(void)self;
	for (unsigned done = 0; done < count; done += PAGES) {
		char *memory = map_pages(PAGES);

		for (unsigned i = 0; i < PAGES; i++)
			((volatile char *)memory)[i * PAGE] = 1;
		must(sys(SYS_munmap, memory, PAGES * PAGE), "munmap");
	}
}

static void map_and_unmap(unsigned self, unsigned count)
{
	(void)self;
	while (count--)
		must(sys(SYS_munmap, map_pages(1), PAGE), "munmap");
}

static void move_break(unsigned self, unsigned count)
{
	const long end = sys(SYS_brk, 0);

	(void)self;
	while (count--) {
		sys(SYS_brk, end + 4 * PAGE);
		sys(SYS_brk, end);
	}
}

static int own_file(unsigned self)
{
	static char zeros[PAGE];
	char name[32];
	int file;

	snprintf(name, sizeof(name), "/tmp/%u", self);
	file = (int)must(sys(SYS_open, name, O_RDWR | O_CREAT, 0644), name);
	must(sys(SYS_pwrite64, file, zeros, PAGE, 0), "pwrite");
	return file;
}

static void open_and_close(unsigned self, unsigned count)
{
	char name[32];

	sys(SYS_close, own_file(self));
	snprintf(name, sizeof(name), "/tmp/%u", self);
	while (count--)
		sys(SYS_close, must(sys(SYS_open, name, O_RDONLY), name));
}

static void read_page(unsigned self, unsigned count)
{
	const int file = own_file(self);
	char page[PAGE];

	while (count--)
		must(sys(SYS_pread64, file, page, PAGE, 0), "pread");
	sys(SYS_close, file);
}

struct pipes {
	int there[2], back[2];
	unsigned count;
};

static void *echo(void *argument)
{
	const struct pipes *pipes = argument;
	char byte;

	for (unsigned i = 0; i < pipes->count; i++) {
		must(sys(SYS_read, pipes->there[0], &byte, 1), "read");
		must(sys(SYS_write, pipes->back[1], &byte, 1), "write");
	}
	return NULL;
}

static void ping_pong(unsigned self, unsigned count)
{
	struct pipes pipes = { .count = count };
	struct partner partner;
	char byte = 0;

	(void)self;
	must(sys(SYS_pipe, pipes.there), "pipe");
	must(sys(SYS_pipe, pipes.back), "pipe");
	partner_start(&partner, echo, &pipes);
	while (count--) {
		must(sys(SYS_write, pipes.there[1], &byte, 1), "write");
		must(sys(SYS_read, pipes.back[0], &byte, 1), "read");
	}
	partner_join(&partner);
	for (int i = 0; i < 2; i++) {
		sys(SYS_close, pipes.there[i]);
		sys(SYS_close, pipes.back[i]);
	}
}

struct turns {
	struct word *word;
	unsigned count;
};

static void *turn_back(void *argument)
{
	const struct turns *turns = argument;

	for (unsigned i = 0; i < turns->count; i++) {
		word_wait(turns->word, 0);
		word_set(turns->word, 0);
	}
	return NULL;
}

static void hand_over(unsigned self, unsigned count)
{
	struct turns turns = { &shared->turns[self], count };
	struct partner partner;

	turns.word->value = 0;
	partner_start(&partner, turn_back, &turns);
	while (count--) {
		word_set(turns.word, 1);
		word_wait(turns.word, 1);
	}
	partner_join(&partner);
}

static void fork_and_exit(unsigned self, unsigned count)
{
	(void)self;
	while (count--) {
		long child = must(sys(SYS_fork), "fork");

		if (!child)
			sys(SYS_exit_group, 0);
		must(sys(SYS_wait4, child, NULL, 0, NULL), "wait4");
	}
}

static void *nothing(void *argument)
{
	return argument;
}

static void create_thread(unsigned self, unsigned count)
{
	pthread_t thread;

	(void)self;
	while (count--) {
		must(-pthread_create(&thread, NULL, nothing, NULL), "a thread");
		pthread_join(thread, NULL);
	}
}

static void on_signal(int number)
{
	(void)number;
}

static void signal_self(unsigned self, unsigned count)
{
	const long process = sys(SYS_getpid), task = sys(SYS_gettid);

	(void)self;
	signal(SIGUSR1, on_signal);
	while (count--)
		sys(SYS_tgkill, process, task, SIGUSR1);
}

static void poll_pipe(unsigned self, unsigned count)
{
	struct pollfd ends[2] = { { .events = POLLIN }, { .events = POLLOUT } };
	int pipe[2];

	(void)self;
	must(sys(SYS_pipe, pipe), "pipe");
	ends[0].fd = pipe[0];
	ends[1].fd = pipe[1];
	while (count--)
		sys(SYS_poll, ends, 2, 0);
	sys(SYS_close, pipe[0]);
	sys(SYS_close, pipe[1]);
}

static const struct row {
	const char *name;
	void (*run)(unsigned self, unsigned count);
	unsigned count; /* operations of each worker */
} rows[] = {
	{ "getpid", get_pid, 20000 },
	{ "fault", touch, 200 * PAGES },
	{ "mmap+munmap", map_and_unmap, 4000 },
	{ "brk", move_break, 4000 },
	{ "open+close", open_and_close, 3000 },
	{ "tmpfs_read", read_page, 4000 },
	{ "pipe", ping_pong, 1500 },
	{ "futex", hand_over, 1500 },
	{ "fork+exit", fork_and_exit, 100 },
	{ "thread", create_thread, 200 },
	{ "signal", signal_self, 3000 },
	{ "poll", poll_pipe, 4000 },
};

/* ---- workers ---- */

struct worker {
	const struct row *row;
	unsigned self;
};

static void *work(void *argument)
{
	const struct worker *worker = argument;

	/* A tenth first: what is done only once is not counted. */
	worker->row->run(worker->self, worker->row->count / 10);
	word_add(&shared->ready);
	word_wait(&shared->go, 0);
	worker->row->run(worker->self, worker->row->count);
	word_add(&shared->done);
	return NULL;
}

/* Wait until `word` is `value`. */
static void wait_for(struct word *word, int value)
{
	int now;

	while ((now = __atomic_load_n(&word->value, __ATOMIC_ACQUIRE)) != value)
		sys(SYS_futex, &word->value, FUTEX_WAIT, now, NULL);
}

static void run(const struct row *row, unsigned cpus)
{
	struct worker workers[WORKERS_MOST];
	struct partner tasks[WORKERS_MOST];

	memset(shared, 0, sizeof(*shared));
	for (unsigned i = 0; i < cpus; i++) {
		workers[i] = (struct worker){ row, i };
		partner_start(&tasks[i], work, &workers[i]);
	}
	wait_for(&shared->ready, (int)cpus);
	/* The marks that count_plugin.c looks for. */
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x01, 0x4b, 0x4e, 0x41" ::: "memory");
	word_set(&shared->go, 1);
	wait_for(&shared->done, (int)cpus);
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80, 0x02, 0x4b, 0x4e, 0x41" ::: "memory");
	for (unsigned i = 0; i < cpus; i++)
		partner_join(&tasks[i]);
	printf("smp %s %s %u\n", threads ? "threads" : "processes", row->name, cpus * row->count);
}

/* Words: names of rows; none: all. */
int main(int argc, char **argv)
{
	const unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);

	setvbuf(stdout, NULL, _IOLBF, 0);
	must(sys(SYS_mount, "tmpfs", "/tmp", "tmpfs", 0, NULL), "mount of tmpfs");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int pass = 0; pass < 2; pass++) {
		threads = pass;
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			bool wanted = argc < 2;

			for (int word = 1; word < argc; word++)
				wanted |= !strcmp(argv[word], rows[i].name);
			if (wanted)
				run(&rows[i], cpus);
		}
	}
	puts("smp end");
	power_off();
}
