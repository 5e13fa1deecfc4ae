/* epoll sets of N descriptors, one object in N sets, and N timers. See scale.h. */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "test/user/scale/scale.h"

#define LARGEST 20000

static int set, other, fds[LARGEST];
static struct epoll_event events[64], wanted = { .events = EPOLLIN };
static uint64_t value = 1;

static int make_event(void)
{
	return (int)must(sys(SYS_eventfd2, 0, EFD_NONBLOCK), "eventfd");
}

static int make_set(void)
{
	return (int)must(sys(SYS_epoll_create1, 0), "epoll_create");
}

static long control(int in, int operation, int fd)
{
	wanted.data.fd = fd;
	return sys(SYS_epoll_ctl, in, operation, fd, &wanted);
}

/* N events in one set, and one in none. */
static void one_set(unsigned n)
{
	set = make_set();
	for (unsigned i = 0; i < n; i++) {
		fds[i] = make_event();
		must(control(set, EPOLL_CTL_ADD, fds[i]), "ADD");
	}
	other = make_event();
}

static long add(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return control(set, EPOLL_CTL_ADD, other);
}

static void add_before(unsigned n, unsigned turn)
{
	must(add(n, turn), "ADD");
}

static long take_out(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return control(set, EPOLL_CTL_DEL, other);
}

static void take_out_after(unsigned n, unsigned turn)
{
	must(take_out(n, turn), "DEL");
}

static long modify(unsigned n, unsigned turn)
{
	(void)turn;
	return control(set, EPOLL_CTL_MOD, fds[n - 1]);
}

static long wait_none(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_epoll_wait, set, events, 64, 0);
}

static void signal_middle(unsigned n, unsigned turn)
{
	(void)turn;
	must(sys(SYS_write, fds[n / 2], &value, 8), "write");
}

static long wait_one(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_epoll_wait, set, events, 64, 0) == 1 ? 0 : -1;
}

static void clear_middle(unsigned n, unsigned turn)
{
	uint64_t seen;

	(void)turn;
	must(sys(SYS_read, fds[n / 2], &seen, 8), "read");
}

static long write_middle(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_write, fds[n / 2], &value, 8);
}

static void make_other(unsigned n, unsigned turn)
{
	other = make_event();
	must(add(n, turn), "ADD");
}

static long close_other(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_close, other);
}

static void all_ready(unsigned n)
{
	one_set(n);
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_write, fds[i], &value, 8), "write");
}

static long wait_some(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_epoll_wait, set, events, 64, 0) > 0 ? 0 : -1;
}

/* One event in N sets, and a set that is empty. */
static void many_sets(unsigned n)
{
	other = make_event();
	for (unsigned i = 0; i < n; i++) {
		fds[i] = make_set();
		must(control(fds[i], EPOLL_CTL_ADD, other), "ADD");
	}
	set = make_set();
}

static long take_out_of_middle(unsigned n, unsigned turn)
{
	(void)turn;
	return control(fds[n / 2], EPOLL_CTL_DEL, other);
}

static void put_into_middle(unsigned n, unsigned turn)
{
	(void)turn;
	must(control(fds[n / 2], EPOLL_CTL_ADD, other), "ADD");
}

static long write_and_read(unsigned n, unsigned turn)
{
	uint64_t seen;

	(void)n, (void)turn;
	sys(SYS_write, other, &value, 8);
	return sys(SYS_read, other, &seen, 8);
}

static void close_middle(unsigned n)
{
	sys(SYS_close, fds[n / 2]);
}

static void remake_middle(unsigned n, unsigned turn)
{
	(void)turn;
	fds[n / 2] = make_set();
	put_into_middle(n, turn);
}

static long close_middle_set(unsigned n, unsigned turn)
{
	(void)turn;
	close_middle(n);
	return 0;
}

static struct itimerspec later = { .it_value = { 5000, 0 } };

static int make_timer(unsigned i)
{
	int fd = (int)must(sys(SYS_timerfd_create, 1, 0), "timerfd_create");

	later.it_value.tv_sec = 5000 + i;
	must(sys(SYS_timerfd_settime, fd, 0, &later, NULL), "timerfd_settime");
	return fd;
}

static void timers(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fds[i] = make_timer(i * 7919 % n);
}

static long arm_middle(unsigned n, unsigned turn)
{
	later.it_value.tv_sec = 5000 + (n / 2 + turn * 1237) % n;
	return sys(SYS_timerfd_settime, fds[n / 2], 0, &later, NULL);
}

static long make_and_close(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_close, make_timer(n / 3));
}

static long get_time(unsigned n, unsigned turn)
{
	static struct itimerspec seen;

	(void)turn;
	return sys(SYS_timerfd_gettime, fds[n / 2], &seen);
}

#define IN_SET  .largest = LARGEST, .setup = one_set
#define IN_SETS .largest = LARGEST, .setup = many_sets
#define TIMERS  .largest = LARGEST, .setup = timers

static const struct row rows[] = {
	{ "epoll ADD", IN_SET, .kind = ROW_LOG, .step = add, .after = take_out_after },
	{ "epoll DEL", IN_SET, .kind = ROW_LOG, .before = add_before, .step = take_out },
	{ "epoll MOD", IN_SET, .kind = ROW_LOG, .step = modify },
	{ "epoll_wait, none ready", IN_SET, .step = wait_none },
	{ "epoll_wait, one ready", IN_SET, .before = signal_middle, .step = wait_one, .after = clear_middle },
	{ "eventfd write in a set", IN_SET, .step = write_middle, .after = clear_middle },
	{ "close of a watched descriptor", IN_SET, .kind = ROW_LOG, .before = make_other, .step = close_other },
	{ "epoll_wait for 64, all ready", .largest = LARGEST, .setup = all_ready, .step = wait_some },
	{ "epoll ADD, one object in N sets", IN_SETS, .step = add, .after = take_out_after },
	{ "epoll DEL, one object in N sets", IN_SETS, .step = take_out_of_middle, .after = put_into_middle },
	{ "close of one of N sets", IN_SETS, .step = close_middle_set, .after = remake_middle },
	{ "write and read, a set", IN_SETS, .each = true, .step = write_and_read },
	{ "timerfd_settime", TIMERS, .kind = ROW_LOG, .step = arm_middle },
	{ "timerfd create, set, close", TIMERS, .kind = ROW_LOG, .step = make_and_close },
	{ "timerfd_gettime", TIMERS, .step = get_time },
};

ROOM(events);
