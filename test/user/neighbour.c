/*
 * Tests that a system call with the largest arguments lets another process, the neighbour, run now and then, and that a
 * process killed in the middle of such a call ends there. Tests nice values, too: a task of nice 19 still runs beside
 * one that computes. No check depends on speed: a call that holds the CPU lets the neighbour run only once, before or
 * after the call, however fast the machine is. So a smaller call during which the neighbour ran often is proof, too;
 * calls of rising size are tried until one gives it.
 *
 *   neighbour [full]   full: try the largest size at once
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"
#include "test/user/window.h"

#define GIB (1UL << 30)

#define TURNS 6          /* how often the neighbour must run during a call of a tenth of a second or more */
#define FULL  64         /* the scale of a call that takes so long on any machine */
#define KILL  (8 * FULL) /* the scale of a call that is killed soon */

enum { READ_RANDOM, READ_ZERO, GET_RANDOM, SEND_FILE, MIN_CORE, CALLS };

static const char *const names[CALLS] = { "a read of /dev/urandom", "a read of /dev/zero", "getrandom", "sendfile",
					  "mincore" };

/*
 * How far the caller is: 0 before the call, 1 in it, 2 after it. Shared with the neighbour. The tests of nice values
 * use it as a flag instead: 1 ends the children.
 */
static volatile int *progress;

static int open_device(unsigned minor)
{
	char path[] = "/tmp/device-?";

	path[sizeof(path) - 2] = (char)('a' + minor);
	mkdir("/tmp", 0777);
	mknod(path, S_IFCHR | 0666, makedev(1, minor));
	return (int)sys(SYS_openat, AT_FDCWD, path, O_RDWR, 0);
}

static char *window_for(unsigned long size)
{
	return window((size + MIB - 1) & -MIB);
}

/* Count the neighbour's turns from here on, and not during the many calls that prepare the one to be tested. */
static void begin(void)
{
	*progress = 1;
}

static long call(int which, unsigned long scale)
{
	static const unsigned long sizes[CALLS] = { MIB / 4, 32 * MIB, MIB / 4, 16 * MIB, 16 * GIB };
	unsigned long size = sizes[which] * scale;
	char *to = which == SEND_FILE ? NULL : window_for(which == MIN_CORE ? size / PAGE : size);
	void *range;
	int fd, sink = which == SEND_FILE ? open_device(3) : -1;

	switch (which) {
	case READ_RANDOM:
	case READ_ZERO:
		fd = open_device(which == READ_RANDOM ? 9 : 5);
		begin();
		return sys(SYS_read, fd, to, size - 1);
	case GET_RANDOM:
		begin();
		return sys(SYS_getrandom, to, size, 0);
	case SEND_FILE:
		fd = (int)sys(SYS_memfd_create, "holes", 0);
		sys(SYS_ftruncate, fd, size);
		begin();
		return sys(SYS_sendfile, sink, fd, NULL, size);
	default:
		range = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		begin();
		return sys(SYS_mincore, range, size, to);
	}
}

static int caller(int which, unsigned long scale)
{
	if (call(which, scale) < 0)
		return 1;
	*progress = 2;
	return 0;
}

static void rest(void)
{
	struct timespec moment = { 0, 1000000 };

	sys(SYS_nanosleep, &moment, NULL);
}

/*
 * Let a child make the call, and sleep shortly again and again meanwhile. Returns how often this process ran in the
 * middle of the call.
 */
static int turns_beside(int which, unsigned long scale, int *ret_status)
{
	int child, turns = 0;

	*progress = 0;
	child = fork();
	if (child == 0)
		_exit(caller(which, scale));
	while (sys(SYS_wait4, child, ret_status, 1 /* WNOHANG */, NULL) == 0) {
		turns += *progress == 1;
		rest();
	}
	return turns;
}

static void test_neighbour(int which, unsigned long scale)
{
	int status = 0, turns;

	while ((turns = turns_beside(which, scale, &status)) < TURNS && status == 0 && scale < FULL)
		scale *= 4;
	is(status, EXITED(0), names[which]);
	is_true(turns >= TURNS, turns, "lets others run meanwhile");
}

static void test_kill(int which)
{
	int child, status = 0;

	*progress = 0;
	child = fork();
	if (child == 0)
		_exit(caller(which, KILL));
	while (*progress == 0)
		rest();
	rest();
	sys(SYS_kill, child, SIGKILL);
	sys(SYS_wait4, child, &status, 0, NULL);
	is(status, KILLED(SIGKILL), names[which]);
	is(*progress, 1, "is broken off by SIGKILL");
}

/* ---- nice values ---- */

static long cpu_time(void)
{
	struct timespec time;

	sys(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Compute until *enough is set, or for ten seconds, and keep the CPU time so far in *used. */
static int compute(int nice, volatile long *used, volatile int *enough)
{
	sys(SYS_setpriority, 0 /* PRIO_PROCESS */, 0, nice);
	while (!*enough && *used < 10000000000)
		*used = cpu_time();
	return 0;
}

/* Let two children with these nice values compute until the first has had 400 ms. *used: the CPU time of each. */
static void share(int first, int second, volatile long used[2])
{
	int children[2], status;

	used[0] = used[1] = 0;
	*progress = 0;
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(compute(i ? second : first, &used[i], progress));
	}
	while (used[0] < 400000000 && used[1] < 4000000000)
		rest();
	*progress = 1;
	for (int i = 0; i < 2; i++)
		sys(SYS_wait4, children[i], &status, 0, NULL);
}

/*
 * Return the second child's CPU time in thousandths of the first one's. A host that stalls the machine gives the time
 * of the stall to the task that has the CPU, so a result outside of `least` to `most` is tried again some times.
 */
static long share_within(int first, int second, long least, long most, volatile long used[2])
{
	long thousandths = 0;

	for (int tries = 0; tries < 8; tries++) {
		share(first, second, used);
		thousandths = used[1] * 1000 / used[0];
		if (thousandths >= least && thousandths <= most)
			break;
	}
	return thousandths;
}

static void test_shares(void)
{
	volatile long *used = (volatile long *)(progress + 16);
	long nicest = share_within(0, 19, 1, 100, used);

	is_true(used[1] > 0, used[1], "the nicest runs beside one that computes");
	is_between(nicest, 1, 100, "for about a seventieth of the time");
	is_between(share_within(0, 5, 150, 600, used), 150, 600, "five steps of nice are a third");
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && !strcmp(argv[1], "full");

	progress = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int which = 0; which < CALLS; which++)
		test_neighbour(which, full ? FULL : 1);
	test_shares();
	test_kill(GET_RANDOM);
	test_kill(READ_RANDOM);
	test_kill(SEND_FILE);
	return finish();
}
