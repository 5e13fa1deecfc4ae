/* Signals: N that are pending. See scale.h. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "test/user/scale/scale.h"

#define LARGEST 10000
#define FIRST   40 /* a real-time signal that no C library uses */

#define BIT(NUMBER) (1UL << ((NUMBER)-1))

struct kernel_action {
	unsigned long handler, flags, restorer, mask;
};

static int self;
static siginfo_t info;
static const struct timespec now;

static void set_mask(uint64_t mask)
{
	must(sys(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8), "sigprocmask");
}

static long queue(int number)
{
	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
	return sys(SYS_rt_sigqueueinfo, self, number, &info);
}

static long take(int number)
{
	uint64_t mask = BIT(number);

	return sys(SYS_rt_sigtimedwait, &mask, &info, &now, 8);
}

/* N of the first real-time number; all numbers are blocked. */
static void pending(unsigned n)
{
	self = (int)sys(SYS_getpid);
	set_mask(~0UL);
	for (unsigned i = 0; i < n; i++)
		must(queue(FIRST), "sigqueue");
}

static long queue_same(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return queue(FIRST);
}

static void take_same_after(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(take(FIRST), "sigtimedwait");
}

static long take_same(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return take(FIRST);
}

static void queue_same_after(unsigned n, unsigned turn)
{
	must(queue_same(n, turn), "sigqueue");
}

static long queue_other(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return queue(FIRST + 1);
}

static void take_other_after(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(take(FIRST + 1), "sigtimedwait");
}

static void queue_other_before(unsigned n, unsigned turn)
{
	must(queue_other(n, turn), "sigqueue");
}

static long take_other(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return take(FIRST + 1);
}

static long take_none(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return take(FIRST + 2) == -11 ? 0 : -1;
}

static long ignore_other(unsigned n, unsigned turn)
{
	struct kernel_action action = { .handler = turn % 2 ? 0 : 1 };

	(void)n;
	return sys(SYS_rt_sigaction, FIRST + 3, &action, NULL, 8);
}

static long get_pending(unsigned n, unsigned turn)
{
	uint64_t seen;

	(void)n, (void)turn;
	return sys(SYS_rt_sigpending, &seen, 8);
}

static long kill_self(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, self, SIGUSR1);
}

static void take_usr1(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(take(SIGUSR1), "sigtimedwait");
}

static long block_pair(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	set_mask(~0UL);
	return 0;
}

static void on_signal(int number)
{
	(void)number;
}

/* SIGUSR2 is not blocked in the step, and has a handler. */
static void handle(unsigned n, unsigned turn)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)n, (void)turn;
	sigaction(SIGUSR2, &action, NULL);
	set_mask(~BIT(SIGUSR2));
}

static long deliver(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, self, SIGUSR2);
}

static void block_again(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	set_mask(~0UL);
}

/* One signal has N pending of it when it is ignored. */
static void queue_many(unsigned n, unsigned turn)
{
	struct kernel_action action = { .handler = 0 };

	(void)turn;
	self = (int)sys(SYS_getpid);
	set_mask(~0UL);
	must(sys(SYS_rt_sigaction, FIRST + 4, &action, NULL, 8), "sigaction");
	for (unsigned i = 0; i < n; i++)
		must(queue(FIRST + 4), "sigqueue");
}

static long ignore_many(unsigned n, unsigned turn)
{
	struct kernel_action action = { .handler = 1 };

	(void)n, (void)turn;
	return sys(SYS_rt_sigaction, FIRST + 4, &action, NULL, 8);
}

#define PENDING .largest = LARGEST, .setup = pending

static const struct row rows[] = {
	{ "sigqueue of the same", PENDING, .step = queue_same, .after = take_same_after },
	{ "sigtimedwait of the same", PENDING, .step = take_same, .after = queue_same_after },
	{ "sigqueue of another", PENDING, .step = queue_other, .after = take_other_after },
	{ "sigtimedwait of another", PENDING, .before = queue_other_before, .step = take_other },
	{ "sigtimedwait of none", PENDING, .step = take_none },
	{ "signal to be ignored", PENDING, .step = ignore_other },
	{ "sigpending", PENDING, .step = get_pending },
	{ "sigprocmask, N pending", PENDING, .step = block_pair },
	{ "kill, N pending", PENDING, .step = kill_self, .after = take_usr1 },
	{ "handler, N pending", PENDING, .before = handle, .step = deliver, .after = block_again },
	{ "fork, exit, wait4, N pending", PENDING, .step = fork_and_wait },
	{ "ignore N pending, a signal", .largest = LARGEST, .each = true, .before = queue_many, .step = ignore_many },
};

ROOM(signals);
