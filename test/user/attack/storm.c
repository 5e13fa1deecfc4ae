/*
 * Eight threads that share memory, descriptors and signals make random calls at once: storm [SECONDS [SEED [LEFT]]].
 *
 * Each victim is a process of LIFE_MS with a scene of its own: files, pipes, pollable things, mounts. Its threads call
 * whatever there is with arguments of the right kind, now and then with one at an edge or with garbage, send each other
 * signals, fork, vfork, exec and end. Two runs with one seed start alike; what happens depends on who runs when.
 * With LEFT memory is full: files that nobody can be killed for hold all but up to LEFT KiB, as many as chance has it.
 * All processes but init and this one are killed after each victim: not a program for a machine that does something else.
 */
#define _GNU_SOURCE
#include "test/user/attack/storm.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#include "test/user/attack/victim.h"

#define USUAL_SECONDS 5
#define LIFE_MS       500
#define STACK         16384
#define CHILD_CALLS   40
#define TRIES         100
#define LEAST_VICTIMS 2
#define LEAST_CALLS   1000
#define COUNTS_PLACE  0x123456789000 /* far from all that a victim makes */
#define FILL_ROOT     "/tmp/fill"    /* where the files that fill memory are */
#define LEFT_LEAST    256            /* KiB: with less this program would be the one that ends */

/* Seen by this process and all victims. */
static volatile struct counts {
	uint64_t calls, forks, threads;
} * counts;

static char stacks[STORM_SLOTS][STACK] __attribute__((aligned(16)));
static uint64_t seed = 1, thread_seed;
static long filler = -1; /* the file that fills memory */

/* ---- threads and children ---- */

static void one_call(uint64_t *state, bool may_fork);

/* A few calls, then another program or the end. */
static _Noreturn void child_run(uint64_t state)
{
	static char *const words[] = { STORM_PROGRAM, "again", NULL };

	for (uint64_t i = storm_random(&state) % CHILD_CALLS; i; i--)
		one_call(&state, false);
	if (storm_random(&state) % 2)
		sys(SYS_execve, STORM_PROGRAM, words, words + 2);
	for (;;)
		sys(SYS_exit_group, 0);
}

static __attribute__((noinline)) void vfork_child(uint64_t state)
{
	if (sys(SYS_vfork) == 0)
		child_run(state);
}

static _Noreturn void thread_run(void)
{
	uint64_t state = __atomic_add_fetch(&thread_seed, 0x51ed2701, __ATOMIC_RELAXED);

	for (;;)
		one_call(&state, true);
}

/* clone(2) with a stack on which thread_run() starts. */
static long start_thread(unsigned long flags, char *stack, volatile int *id)
{
	register volatile int *r10 __asm__("r10") = id;
	register unsigned long r8 __asm__("r8") = 0;
	long result;

	__asm__ volatile("syscall; test %%rax, %%rax; jnz 1f; xor %%ebp, %%ebp; and $-16, %%rsp; call *%[run]; 1:"
			 : "=a"(result)
			 : "0"(SYS_clone), "D"(flags), "S"(stack), "d"(id), "r"(r10), "r"(r8), [run] "b"(thread_run)
			 : "rcx", "r11", "memory");
	return result;
}

/* A thread where none is: mostly of this process, else a process that shares some of what this one has. */
static void spawn(uint64_t *state)
{
	unsigned long flags = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	size_t slot = storm_random(state) % STORM_SLOTS;
	int none = 0;

	if (storm_random(state) % 8)
		flags |= CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES | CLONE_FS | CLONE_SYSVSEM;
	else
		flags |= storm_random(state) & (CLONE_SIGHAND | CLONE_FILES | CLONE_FS | CLONE_PARENT);
	if (!__atomic_compare_exchange_n(&storm_threads[slot], &none, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	if (start_thread(flags, stacks[slot] + STACK, &storm_threads[slot]) < 0)
		storm_threads[slot] = 0;
	else
		__atomic_add_fetch(&counts->threads, 1, __ATOMIC_RELAXED);
}

static void fork_child(uint64_t *state)
{
	__atomic_add_fetch(&counts->forks, 1, __ATOMIC_RELAXED);
	if (storm_random(state) % 4 == 0)
		vfork_child(*state);
	else if (sys(SYS_fork) == 0)
		child_run(*state);
}

static void one_call(uint64_t *state, bool may_fork)
{
	uint64_t choice = storm_random(state) % 512;
	uint64_t nothing = 0;

	__atomic_add_fetch(&counts->calls, 1, __ATOMIC_RELAXED);
	if (choice < 4 && may_fork) {
		fork_child(state);
	} else if (choice < 8 && may_fork) {
		spawn(state);
	} else if (choice == 8 && storm_random(state) % 16 == 0) {
		sys(SYS_exit, 0);
	} else if (choice < 24) {
		storm_garbage(state);
	} else if (choice < 64) { /* Who sleeps or has all signals blocked goes on. */
		sys(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, 0, 8);
		for (int i = 0; i < STORM_THREADS; i++)
			if (storm_threads[i] > 1)
				sys(SYS_tgkill, sys(SYS_getpid), storm_threads[i], SIGUSR1);
	} else {
		storm_call(state);
	}
}

/* ---- memory that is full ---- */

static uint64_t free_kib(void)
{
	struct sysinfo info;

	return sys(SYS_sysinfo, &info) == 0 ? info.freeram * info.mem_unit / 1024 : 0;
}

/* Write to a file until only `left` KiB are free. What is there already stays, or goes when more is to be free. */
static void fill(long file, uint64_t left)
{
	static char piece[4 * PAGE];

	if (free_kib() < left)
		sys(SYS_ftruncate, file, 0);
	while (free_kib() > left && sys(SYS_write, file, piece, sizeof(piece)) > 0)
		;
}

/* Make the file that fills memory, and see to it that others end when there is none. Ends the program if it cannot. */
static long make_filler(void)
{
	long file, adjust = sys(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY, 0);

	sys(SYS_write, adjust, "-1000", 5);
	sys(SYS_close, adjust);
	sys(SYS_mkdir, FILL_ROOT, 0777);
	sys(SYS_mount, "fill", FILL_ROOT, "tmpfs", 0, "size=100%");
	file = sys(SYS_openat, AT_FDCWD, FILL_ROOT "/file", O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
	if (file < 0)
		bail("openat " FILL_ROOT "/file", file);
	return file;
}

/* In a victim: be one that ends when there is no memory. */
static void be_chosen(void)
{
	long adjust = sys(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY, 0);

	sys(SYS_write, adjust, "0", 1);
	sys(SYS_close, adjust);
	sys(SYS_close, filler);
}

/* ---- a victim ---- */

/* Never returns; the process ends when somebody kills it. */
static _Noreturn void victim_run(void)
{
	static const struct itimerval often = { { 0, 5000 }, { 0, 5000 } };
	struct rlimit limit = { 1UL << 28, 1UL << 28 };
	uint64_t state = seed;
	long null;

	thread_seed = seed * 0x9e3779b97f4a7c15;
	for (long number = 1; number <= 64; number++)
		if (number != SIGSEGV && number != SIGBUS && number != SIGILL && number != SIGFPE)
			storm_catch(number);
	null = sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
	for (int file = 0; file < 3; file++)
		if (sys(SYS_dup2, null, file) != file)
			sys(SYS_exit_group, 1);
	sys(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL);
	if (filler >= 0)
		be_chosen();
	if (!storm_enter())
		sys(SYS_exit_group, 1);
	storm_scene();
	sys(SYS_setitimer, ITIMER_REAL, &often, NULL);
	storm_threads[0] = (int)sys(SYS_gettid);
	while (storm_random(&state) % STORM_THREADS)
		spawn(&state);
	for (int i = 0; i < 4 * STORM_THREADS; i++)
		spawn(&state);
	for (;;)
		one_call(&state, true);
}

/* ---- all victims ---- */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void nap(void)
{
	struct timespec pause = { 0, 10000000 };

	sys(SYS_nanosleep, &pause, NULL);
}

/* Everybody but init and this process ends; all objects of System V go, and all that is mounted on the scene goes, also when memory is refused. */
static void clear(void)
{
	long error;

	while (sys(SYS_kill, -1, SIGKILL) == 0) {
		sys(SYS_wait4, -1, NULL, WNOHANG | __WALL, 0);
		nap();
	}
	while (sys(SYS_wait4, -1, NULL, __WALL, 0) != -ECHILD)
		;
	do
		error = sys(SYS_umount2, STORM_ROOT, MNT_DETACH);
	while (error == 0 || error == -ENOMEM);
	remove_objects();
}

/* Returns whether a victim lived; it may end before its time. `left`: KiB that may be free, when memory is filled. */
static bool one_victim(uint64_t index, uint64_t left)
{
	uint64_t state = seed + index, end = now_ms() + LIFE_MS;
	long victim;

	sys(SYS_mkdir, STORM_ROOT, 0777);
	if (sys(SYS_mount, "storm", STORM_ROOT, "tmpfs", 0, NULL) != 0)
		return false;
	if (filler >= 0)
		fill(filler, LEFT_LEAST + storm_random(&state) % left);
	victim = sys(SYS_fork);
	if (victim == 0) {
		seed += index;
		victim_run();
	}
	while (victim > 0 && now_ms() < end && sys(SYS_wait4, victim, NULL, WNOHANG, 0) != victim)
		nap();
	clear();
	return victim > 0;
}

/* A child's status, also when memory is refused now and then. */
static int child_still_runs(void)
{
	int status = -1;

	for (int tries = 0; tries < TRIES && status < 0; tries++)
		status = in_child(touch_read, stacks);
	return status;
}

int main(int argc, char **argv)
{
	uint64_t seconds = argc > 1 ? strtoul(argv[1], NULL, 0) : USUAL_SECONDS, victims = 0, end, refused = 0;
	uint64_t left = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	if (argc > 1 && !seconds) /* again, in a victim */
		return 0;
	if (sys(SYS_getppid) != 1 || !getenv("RUNNER"))
		bail("only on a machine of its own, below the runner", sys(SYS_getppid));
	if (argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	counts = (void *)sys(SYS_mmap, COUNTS_PLACE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((long)counts < 0 && (long)counts > -4096)
		bail("mmap of shared memory", (long)counts);
	storm_make_arena();
	counts->calls = counts->forks = counts->threads = 0;
	if (left)
		filler = make_filler();
	for (end = now_ms() + seconds * 1000; now_ms() < end;)
		if (one_victim(victims + refused, left))
			victims++;
		else
			refused++, nap();
	if (filler >= 0) {
		sys(SYS_close, filler);
		is(sys(SYS_umount2, FILL_ROOT, 0), 0, "what filled memory goes");
	}
	printf("# seed %lu: %lu victims, %lu refused, %lu calls, %lu forks, %lu threads\n", (unsigned long)seed,
	       (unsigned long)victims, (unsigned long)refused, (unsigned long)counts->calls,
	       (unsigned long)counts->forks, (unsigned long)counts->threads);
	/* A busy host may let hardly any run; there are hundreds otherwise, and ten thousand calls a second. */
	is_true(victims >= LEAST_VICTIMS, (long)victims, "victims lived");
	is_true(counts->calls >= LEAST_CALLS, (long)counts->calls, "and made calls");
	is(child_still_runs(), EXITED(0), "a child still runs");
	is(sys(SYS_getppid), 1, "init is still the parent");
	return finish();
}
