/* Children that attack; see victim.h. */
#define _GNU_SOURCE
#include "test/user/attack/victim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#define POLL_NS     2000000 /* between two looks at a child */
#define STILL_POLLS 12      /* looks without a move, after which it hangs */
#define MOST_MEMORY (1UL << 28)
#define RETRIES     1000 /* forks without memory in a row, after which there will be none */

/* What a child tells its parent, in shared memory. */
static struct progress {
	volatile uint64_t next; /* the step that runs now, plus one */
} * progress;

static int null_file;

void victims_init(void)
{
	long page = sys(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page < 0 && page > -4096)
		bail("mmap of shared memory", page);
	progress = (struct progress *)page;
	null_file = (int)sys(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	if (null_file < 0)
		bail("openat /dev/null", null_file);
}

/* In the child. `limit` keeps a child that maps what it can from taking all memory. */
static _Noreturn void run_steps(uint64_t first, uint64_t end, void (*step)(uint64_t index))
{
	struct rlimit limit = { MOST_MEMORY, MOST_MEMORY };
	long self = sys(SYS_gettid);

	for (int file = 0; file < 3; file++)
		sys(SYS_dup2, null_file, file);
	sys(SYS_prlimit64, 0, RLIMIT_AS, &limit, NULL);
	for (uint64_t i = first; i < end; i++) {
		progress->next = i + 1;
		step(i);
		/* A step that forked or made a thread: the new one has nothing to do, and the old one buries it. */
		if (sys(SYS_gettid) != self)
			sys(SYS_exit_group, 0);
		sys(SYS_wait4, -1, NULL, 1, 0);
	}
	for (;;)
		sys(SYS_exit_group, 0);
}

/* Wait for the child's end; kill it when it stands still or stops. Returns whether it had to be killed. */
static bool watch(long child, int *ret_status)
{
	struct timespec pause = { 0, POLL_NS };
	uint64_t last = 0;
	int still = 0;

	for (;;) {
		long ended = sys(SYS_wait4, child, ret_status, 1, 0);

		/* 0x7f: stopped, not ended. */
		if (ended == child && (*ret_status & 0xff) != 0x7f)
			return false;
		if (ended < 0 && ended != -EINTR)
			bail("wait4", ended);
		if (progress->next == last && ++still >= STILL_POLLS) {
			sys(SYS_kill, child, SIGKILL);
			while (sys(SYS_wait4, child, ret_status, 0, 0) == -EINTR)
				;
			return true;
		}
		if (progress->next != last)
			still = 0;
		last = progress->next;
		sys(SYS_nanosleep, &pause, NULL);
	}
}

/*
 * Fork, however often memory is refused meanwhile: a kernel that refuses every hundredth frame must not end the attack
 * at its first fork without one. Returns as fork does; -1 when RETRIES in a row have failed.
 */
static long fork_surely(void)
{
	struct timespec pause = { 0, POLL_NS };

	for (int i = 0; i < RETRIES; i++) {
		long child = sys(SYS_fork);

		if (child >= 0)
			return child;
		if (child != -ENOMEM && child != -EAGAIN)
			bail("fork", child);
		sys(SYS_nanosleep, &pause, NULL);
	}
	return -1;
}

uint64_t victims_run(uint64_t count, uint64_t at_once, void (*step)(uint64_t index), uint64_t *ret_deaths,
		     uint64_t *ret_hangs)
{
	uint64_t next = 0;

	*ret_deaths = *ret_hangs = 0;
	while (next < count) {
		uint64_t end = count - next < at_once ? count : next + at_once;
		int status = 0;
		long child;

		progress->next = next;
		child = fork_surely();
		if (child == 0)
			run_steps(next, end, step);
		if (child < 0)
			break;
		if (watch(child, &status))
			++*ret_hangs;
		else if (status != 0)
			++*ret_deaths;
		/* The child's word counts only as far as it can be true. */
		if (progress->next > next && progress->next <= end)
			next = progress->next;
		else
			next++;
	}
	return next;
}
