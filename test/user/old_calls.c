/* Old calls that newer ones have replaced: sysfs, ustat, vhangup, settimeofday. Runs as root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KERNEL ((void *)(-1UL << 31))
#define PTS    "/tmp/old_pts"

static volatile sig_atomic_t hung_up;

static void test_sysfs(void)
{
	char name[64], list[4096];
	long count = sys(SYS_sysfs, 3), lines = 0, fd, size;

	fd = sys(SYS_open, "/proc/filesystems", O_RDONLY);
	size = sys(SYS_read, fd, list, sizeof(list));
	sys(SYS_close, fd);
	for (long i = 0; i < size; i++)
		lines += list[i] == '\n';
	is(count, lines, "sysfs counts what /proc/filesystems lists");
	for (long i = 0; i < count; i++) {
		memset(name, 'x', sizeof(name));
		if (sys(SYS_sysfs, 2, i, name) || sys(SYS_sysfs, 1, name) != i)
			is(-1, i, "a name that leads to another number");
	}
	is_between(sys(SYS_sysfs, 1, "tmpfs"), 0, count - 1, "tmpfs has a number");
	is(sys(SYS_sysfs, 1, "ext0"), -EINVAL, "what is none has not");
	is(sys(SYS_sysfs, 2, count, name), -EINVAL, "a number too many");
	is(sys(SYS_sysfs, 2, 0, KERNEL), -EFAULT, "a name for nobody");
	is(sys(SYS_sysfs, 1, KERNEL), -EFAULT, "a name of nobody's");
	is(sys(SYS_sysfs, 4), -EINVAL, "an unknown question");
}

struct ustat_part {
	int free_blocks;
	unsigned long free_nodes;
	char names[12];
};

static void test_ustat(void)
{
	struct ustat_part answer;
	struct stat of_proc;

	memset(&answer, 0xff, sizeof(answer));
	is(sys(SYS_stat, "/proc", &of_proc), 0, "a device number");
	is(sys(SYS_ustat, of_proc.st_dev, &answer), 0, "ustat of it");
	is(answer.free_blocks, 0, "/proc has no blocks");
	is(answer.names[0], 0, "and no name");
	is(sys(SYS_ustat, of_proc.st_dev, KERNEL), -EFAULT, "ustat for nobody");
	is(sys(SYS_ustat, -1, &answer), -EINVAL, "ustat of no file system");
}

static void test_settimeofday(void)
{
	static const struct timeval bad[] = { { 1800000000, 1000000 }, { 1800000000, -1 }, { -1, 0 }, { 0, 0 } };
	struct timeval saw, then;
	int zone[2] = { 0, 0 };

	for (size_t i = 0; i < COUNT(bad); i++)
		is(sys(SYS_settimeofday, &bad[i], NULL), -EINVAL, "settimeofday to a time that is none");
	is(sys(SYS_settimeofday, KERNEL, NULL), -EFAULT, "settimeofday from nowhere");
	is(sys(SYS_settimeofday, NULL, KERNEL), -EFAULT, "nor with a zone from there");
	is(sys(SYS_settimeofday, NULL, NULL), 0, "settimeofday to nothing");
	is(sys(SYS_settimeofday, NULL, zone), 0, "and to UTC");
	zone[0] = 901;
	is(sys(SYS_settimeofday, NULL, zone), -EINVAL, "there are no more than 15 hours");
	gettimeofday(&saw, NULL);
	then = saw;
	then.tv_sec += 3000;
	is(sys(SYS_settimeofday, &then, NULL), 0, "settimeofday");
	gettimeofday(&then, NULL);
	is_between(then.tv_sec - saw.tv_sec, 3000, 3060, "the clock has moved");
	then.tv_sec -= 3000;
	sys(SYS_settimeofday, &then, NULL);
}

static int as_user(void *unused)
{
	struct timeval time;
	int zone[2] = { 0, 0 };

	(void)unused;
	gettimeofday(&time, NULL);
	sys(SYS_setresuid, 1000, 1000, 1000);
	return sys(SYS_settimeofday, &time, NULL) == -EPERM && sys(SYS_settimeofday, NULL, zone) == -EPERM &&
			       sys(SYS_vhangup) == -EPERM
		       ? 42
		       : 1;
}

static void note(int signal)
{
	hung_up = signal;
}

/* Lead a session with the terminal `slave`, and hang that up. */
static int hang_up(void *argument)
{
	struct sigaction action = { .sa_handler = note };
	int slave = *(int *)argument;
	char byte;

	sigaction(SIGHUP, &action, NULL);
	if (setsid() < 0 || sys(SYS_vhangup) || hung_up)
		return 1;
	if (sys(SYS_ioctl, slave, TIOCSCTTY, 0))
		return 2;
	if (sys(SYS_vhangup) || hung_up != SIGHUP)
		return 3;
	if (sys(SYS_open, "/dev/tty", O_RDWR) >= 0)
		return 4;
	return sys(SYS_read, slave, &byte, 1) == 0 && sys(SYS_write, slave, "x", 1) == -EIO ? 42 : 5;
}

static void test_vhangup(void)
{
	int master, slave, off = 0;

	mkdir("/tmp", 01777);
	mkdir(PTS, 0755);
	is(mount("devpts", PTS, "devpts", 0, "ptmxmode=666") ? -errno : 0, 0, "devpts");
	master = open(PTS "/ptmx", O_RDWR | O_NOCTTY);
	ioctl(master, TIOCSPTLCK, &off);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	is_true(slave >= 0, slave, "a terminal");
	is(in_child(hang_up, &slave), EXITED(42), "vhangup ends a session's terminal, and does nothing without one");
	close(slave);
	close(master);
	umount(PTS);
	rmdir(PTS);
}

int main(void)
{
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	test_sysfs();
	test_ustat();
	test_settimeofday();
	test_vhangup();
	is(in_child(as_user, NULL), EXITED(42), "a user sets no clock and hangs nothing up");
	return finish();
}
