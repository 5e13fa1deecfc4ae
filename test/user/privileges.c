/*
 * Tests which calls need a capability, who may signal whom, and what set-ID programs and the death of a parent change:
 * each call is tried as root and as others. Runs as root, and executes itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test/user/tap.h"

#define PROGRAM "/tmp/.privileges"
#define USER    1000
#define OTHER   1001

static const char *self; /* this program's path */

static void become(int uid)
{
	sys(SYS_setgroups, 0, NULL);
	sys(SYS_setresgid, uid, uid, uid);
	sys(SYS_setresuid, uid, uid, uid);
}

/* ---- calls that take a capability: as root, and as a user ---- */

static const struct rlimit low = { 8, 8 }, high = { 8, 16 }, nothing = { 0, 0 };
static const struct sched_param fifo = { .sched_priority = 1 }, none;

static long raise_limit(void)
{
	sys(SYS_setrlimit, RLIMIT_NOFILE, &low);
	return sys(SYS_setrlimit, RLIMIT_NOFILE, &high);
}

static long lock_beyond(void)
{
	sys(SYS_setrlimit, RLIMIT_MEMLOCK, &nothing);
	return sys(SYS_mlock, fresh(PAGE, PROT_READ | PROT_WRITE), PAGE);
}

static long set_clock(void)
{
	struct timespec now;

	sys(SYS_clock_gettime, CLOCK_REALTIME, &now);
	return sys(SYS_clock_settime, CLOCK_REALTIME, &now);
}

static long nice_down(void)
{
	return sys(SYS_setpriority, PRIO_PROCESS, 0, -5);
}

static long nice_up(void)
{
	return sys(SYS_setpriority, PRIO_PROCESS, 0, 5);
}

static long nice_of_init(void)
{
	return sys(SYS_setpriority, PRIO_PROCESS, getppid(), 0);
}

static long real_time(void)
{
	return sys(SYS_sched_setscheduler, 0, SCHED_FIFO, &fifo);
}

static long batch(void)
{
	return sys(SYS_sched_setscheduler, 0, SCHED_BATCH, &none);
}

static long pin_parent(void)
{
	cpu_set_t cpus = { 0 };

	sys(SYS_sched_getaffinity, getppid(), sizeof(cpus), &cpus);
	return sys(SYS_sched_setaffinity, getppid(), sizeof(cpus), &cpus);
}

static long host_name(void)
{
	char name[65];

	return gethostname(name, sizeof(name)) == 0 ? sys(SYS_sethostname, name, strlen(name)) : -1;
}

static long reboot_wrongly(void)
{
	return sys(SYS_reboot, 1, 2, 3, NULL);
}

static long limit_parent(void)
{
	struct rlimit limit;

	return sys(SYS_prlimit64, getppid(), RLIMIT_NOFILE, NULL, &limit);
}

static long signal_parent(void)
{
	return sys(SYS_kill, getppid(), 0);
}

static long signal_parents_task(void)
{
	return sys(SYS_tkill, getppid(), 0);
}

static long queue_parent(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	return sys(SYS_rt_sigqueueinfo, getppid(), 0, &info);
}

static long signal_all(void)
{
	return sys(SYS_setsid) > 0 ? sys(SYS_kill, 0, 0) : -1;
}

static long signal_parents_group(void)
{
	return sys(SYS_kill, -getpgid(getppid()), 0);
}

static long bind_parent(void)
{
	unsigned long all = ~0UL;

	return sys(SYS_sched_setaffinity, getppid(), sizeof(all), &all);
}

static long name_descriptor(void)
{
	int fd = open("/tmp/named", O_CREAT | O_RDWR, 0666);
	long result = sys(SYS_linkat, fd, "", AT_FDCWD, "/tmp/named-again", AT_EMPTY_PATH);

	unlink("/tmp/named");
	unlink("/tmp/named-again");
	return result;
}

static const struct row {
	const char *name;
	long (*call)(void);
	long root, user; /* the results that root and a user must get */
} table[] = {
	{ "a higher hard limit", raise_limit, 0, -EPERM },
	{ "mlock beyond the limit", lock_beyond, 0, -EPERM },
	{ "clock_settime", set_clock, 0, -EPERM },
	{ "setpriority to better", nice_down, 0, -EACCES },
	{ "setpriority to worse", nice_up, 0, 0 },
	{ "setpriority of root's", nice_of_init, 0, -EPERM },
	{ "SCHED_FIFO", real_time, 0, -EPERM },
	{ "SCHED_BATCH", batch, 0, 0 },
	{ "sched_setaffinity of root's", pin_parent, 0, -EPERM },
	{ "sethostname", host_name, 0, -EPERM },
	{ "reboot", reboot_wrongly, -EINVAL, -EPERM },
	{ "prlimit of root's", limit_parent, 0, -EPERM },
	{ "sched_setaffinity of root's", bind_parent, 0, -EPERM },
	{ "linkat of a descriptor", name_descriptor, 0, -ENOENT },
	{ "kill of root's", signal_parent, 0, -EPERM },
	{ "tkill", signal_parents_task, 0, -EPERM },
	{ "rt_sigqueueinfo", queue_parent, 0, -EPERM },
	{ "kill of the own group", signal_all, 0, 0 },
	{ "kill of a group of root's and one's own", signal_parents_group, 0, 0 },
};

struct cell {
	const struct row *row;
	int uid;
};

static int try_cell(void *argument)
{
	const struct cell *cell = argument;

	if (cell->uid)
		become(cell->uid);
	return (int)-cell->row->call();
}

static void test_table(void)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		struct cell root = { &table[i], 0 }, user = { &table[i], USER };
		char name[80];

		snprintf(name, sizeof(name), "%s: root", table[i].name);
		is(in_child(try_cell, &root), EXITED(-table[i].root), name);
		snprintf(name, sizeof(name), "%s: user", table[i].name);
		is(in_child(try_cell, &user), EXITED(-table[i].user), name);
	}
}

/* ---- who may signal whom: the real or effective user must be the target's real or saved one ---- */

struct pair {
	int own[2];    /* the sender's real and effective user ID */
	int theirs[3]; /* the receiver's real, effective and saved user ID */
	int signal;
	long result;
};

static const struct pair pairs[] = {
	{ { 5, 6 }, { 5, 7, 7 }, 0, 0 },       { { 5, 6 }, { 7, 7, 5 }, 0, 0 },
	{ { 5, 6 }, { 6, 7, 7 }, 0, 0 },       { { 5, 6 }, { 7, 7, 6 }, 0, 0 },
	{ { 5, 6 }, { 7, 6, 7 }, 0, -EPERM },  { { 5, 6 }, { 7, 7, 7 }, 0, -EPERM },
	{ { 5, 6 }, { 7, 7, 7 }, SIGCONT, 0 }, { { 5, 0 }, { 7, 7, 7 }, 0, 0 },
};

static int try_pair(void *argument)
{
	const struct pair *pair = argument;
	int ends[2], child;
	char byte;

	if (pipe(ends) != 0)
		return 1;
	child = fork();
	if (!child) {
		sys(SYS_setresuid, pair->theirs[0], pair->theirs[1], pair->theirs[2]);
		sys(SYS_write, ends[1], "", 1);
		pause();
		_exit(0);
	}
	sys(SYS_read, ends[0], &byte, 1);
	sys(SYS_setresuid, pair->own[0], pair->own[1], -1);
	if (sys(SYS_kill, child, pair->signal) != pair->result)
		return 2;
	sys(SYS_setresuid, -1, 0, -1);
	sys(SYS_kill, child, SIGKILL);
	return 0;
}

/* ---- set-ID programs ---- */

/* Check this program's IDs when it is executed as PROGRAM. Returns what the kernel has told the C library, as bits. */
static int tell(void)
{
	int ids[3];

	sys(SYS_getresuid, &ids[0], &ids[1], &ids[2]);
	if (ids[1] != ids[2] || (int)getauxval(AT_UID) != ids[0] || (int)getauxval(AT_EUID) != ids[1])
		return 1;
	/*
	 * Bit 0: the effective user differs from the real one; 1: so does the group; 2: AT_SECURE is set; 3: dumpable.
	 */
	return 0x10 | (geteuid() != getuid()) | (getegid() != getgid()) << 1 | (getauxval(AT_SECURE) ? 4 : 0) |
	       (sys(SYS_prctl, PR_GET_DUMPABLE) == 1 ? 8 : 0);
}

static int execute_as_user(void *no_new_privs)
{
	char *const arguments[] = { PROGRAM, "tell", NULL };

	become(USER);
	if (no_new_privs)
		sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sys(SYS_execve, PROGRAM, arguments, NULL);
	return 1;
}

static void copy_self(void)
{
	static char bytes[65536];
	int from = open(self, O_RDONLY), to = open(PROGRAM, O_CREAT | O_TRUNC | O_WRONLY, 0755);
	ssize_t size;

	while ((size = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)size) != size)
			bail("copy", errno);
	close(from);
	close(to);
}

static void test_set_id(void)
{
	static const struct {
		const char *name;
		int mode, result;
		bool no_new_privs;
	} rows[] = {
		{ "a plain program", 0755, 0x18, false },
		{ "a set-user-ID program", 04755, 0x15, false },
		{ "a set-group-ID program", 02755, 0x16, false },
		{ "both", 06755, 0x17, false },
		{ "set-group-ID without the group's right to execute", 02745, 0x18, false },
		{ "with no_new_privs", 06755, 0x18, true },
		{ "one that may not be read", 0711, 0x10, false },
	};

	copy_self();
	chown(PROGRAM, OTHER, OTHER);
	for (size_t i = 0; i < COUNT(rows); i++) {
		chmod(PROGRAM, (unsigned)rows[i].mode);
		is(in_child(execute_as_user, rows[i].no_new_privs ? PROGRAM : NULL), EXITED(rows[i].result),
		   rows[i].name);
	}
	unlink(PROGRAM);
}

/* ---- /proc/PID of other processes: of root's, of the same user's, and of a process that is not dumpable ---- */

enum { ROOTS, OWN, HIDDEN };

static const char *const proc_files[] = { "environ", "maps", "fd/0", "exe", "cwd", "status", "stat" };

/* Try the files of /proc as USER. Returns a bit for each that could be opened or, if it is a link, be read. */
static int try_proc(void *argument)
{
	const long whose = (long)argument;
	int ends[2], child, bits = 0;
	char byte, path[64], text[256];
	struct stat stat;

	if (pipe(ends) != 0)
		return 1;
	child = fork();
	if (!child) {
		if (whose != ROOTS)
			become(USER);
		if (whose == OWN)
			sys(SYS_prctl, PR_SET_DUMPABLE, 1);
		sys(SYS_write, ends[1], "", 1);
		pause();
		_exit(0);
	}
	sys(SYS_read, ends[0], &byte, 1);
	become(USER);
	for (size_t i = 0; i < COUNT(proc_files); i++) {
		long result;

		snprintf(path, sizeof(path), "/proc/%d/%s", child, proc_files[i]);
		result = sys(SYS_readlink, path, text, sizeof(text));
		if (result == -EINVAL) {
			result = sys(SYS_open, path, O_RDONLY);
			sys(SYS_close, result);
		}
		bits |= result >= 0 ? 1 << i : 0;
	}
	snprintf(path, sizeof(path), "/proc/%d", child);
	if (sys(SYS_stat, path, &stat) != 0 || stat.st_uid != (whose == ROOTS ? 0 : USER))
		bits = 255;
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	if (sys(SYS_stat, path, &stat) != 0 || stat.st_uid != (whose == OWN ? USER : 0))
		bits = 254;
	sys(SYS_kill, child, SIGKILL);
	return bits;
}

/* Check what a process that is not dumpable sees of itself in /proc. */
static int try_own_proc(void *unused)
{
	char text[256];

	(void)unused;
	become(USER);
	if (sys(SYS_readlink, "/proc/self/fd/0", text, sizeof(text)) < 0 ||
	    sys(SYS_open, "/proc/self/maps", O_RDONLY) < 0)
		return 1;
	return sys(SYS_open, "/proc/self/environ", O_RDONLY) == -EACCES ? 0 : 2;
}

/*
 * Open files of a process in /proc before it executes a set-user-ID program, and check that they show nothing of that
 * program.
 */
static int try_later(void *unused)
{
	static const char *const names[] = { "environ", "maps" };
	char *const arguments[] = { PROGRAM, "pause", NULL };
	int go[2], ended[2], files[2], child;
	char byte, path[64];

	(void)unused;
	become(USER);
	sys(SYS_prctl, PR_SET_DUMPABLE, 1);
	if (pipe(go) != 0 || pipe2(ended, O_CLOEXEC) != 0)
		return 1;
	child = fork();
	if (!child) {
		sys(SYS_read, go[0], &byte, 1);
		_exit((int)-sys(SYS_execve, PROGRAM, arguments, arguments));
	}
	close(ended[1]);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", child, names[i]);
		files[i] = (int)sys(SYS_open, path, O_RDONLY);
		if (files[i] < 0)
			return 2;
	}
	sys(SYS_write, go[1], "", 1);
	/* Wait until execve has closed the pipe's other end. */
	if (sys(SYS_read, ended[0], &byte, 1) != 0)
		return 3;
	for (int i = 0; i < 2; i++)
		if (sys(SYS_read, files[i], &byte, 1) != 0)
			return 4 + i;
	return sys(SYS_kill, child, SIGKILL) == 0 ? 0 : 6;
}

/* Check where stat says a program's code begins: it tells USER about a process of its own, but not about root's. */
static int try_places(void *unused)
{
	unsigned long start[2] = { 0, 0 };

	(void)unused;
	become(USER);
	sys(SYS_prctl, PR_SET_DUMPABLE, 1);
	for (int i = 0; i < 2; i++) {
		const char *at;
		char path[64], text[1024];
		long size;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/stat", i ? getppid() : getpid());
		fd = open(path, O_RDONLY);
		size = sys(SYS_read, fd, text, sizeof(text) - 1);
		if (size <= 0)
			return 1;
		text[size] = 0;
		at = strrchr(text, ')');
		/* The state is field 3, the start of the code field 26. */
		for (int field = 2; at && field < 26; field++)
			at = strchr(at + 1, ' ');
		if (!at)
			return 2;
		start[i] = strtoul(at, NULL, 10);
	}
	/* Linux shows 1 for what it hides. */
	return start[0] > 4096 && start[1] <= 1 ? 0 : 3;
}

static void test_proc(void)
{
	copy_self();
	chown(PROGRAM, OTHER, OTHER);
	chmod(PROGRAM, 04755);
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	is(in_child(try_proc, (void *)ROOTS), EXITED(0x60), "/proc of root's process");
	is(in_child(try_proc, (void *)OWN), EXITED(0x7f), "/proc of the same user's");
	is(in_child(try_proc, (void *)HIDDEN), EXITED(0x60), "/proc of one that is not dumpable");
	is(in_child(try_own_proc, NULL), EXITED(0), "/proc of oneself, who is not dumpable");
	is(in_child(try_later, NULL), EXITED(0), "opened before a set-user-ID program begins");
	is(in_child(try_places, NULL), EXITED(0), "stat tells the owner alone where the code lies");
	unlink(PROGRAM);
	umount("/proc");
}

/* ---- parents that end ---- */

/* Check that a grandchild whose parent ends gets the signal that it asked for, and the subreaper as its parent. */
static int try_orphan(void *unused)
{
	int ends[2], child, status, seen[2] = { 0, 0 };
	sigset_t wanted;

	(void)unused;
	sys(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(ends) != 0)
		return 1;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	child = fork();
	if (!child) {
		int ready[2];
		char byte;

		if (pipe(ready) != 0)
			_exit(1);
		if (!fork()) {
			sys(SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1);
			sys(SYS_write, ready[1], "", 1);
			seen[0] = sigwaitinfo(&wanted, NULL);
			seen[1] = getppid();
			sys(SYS_write, ends[1], seen, sizeof(seen));
			_exit(7);
		}
		sys(SYS_read, ready[0], &byte, 1);
		_exit(0);
	}
	sys(SYS_read, ends[0], seen, sizeof(seen));
	if (seen[0] != SIGUSR1)
		return 2;
	if (seen[1] != getpid())
		return 3;
	for (int i = 0; i < 2; i++)
		if (sys(SYS_wait4, -1, &status, 0, NULL) <= 0)
			return 4;
	return 0;
}

/* Check that the siginfo about a child's end has the child's user ID. */
static int try_child_uid(void *unused)
{
	siginfo_t info;

	(void)unused;
	if (!fork()) {
		become(USER);
		_exit(0);
	}
	memset(&info, 0, sizeof(info));
	return sys(SYS_waitid, P_ALL, 0, &info, WEXITED, NULL) == 0 && info.si_uid == USER ? 0 : 1;
}

int main(int argc, char **argv)
{
	self = argv[0];
	if (argc > 1 && strcmp(argv[1], "tell") == 0)
		return tell();
	if (argc > 1 && strcmp(argv[1], "pause") == 0)
		return pause();
	mkdir("/tmp", 0777);
	test_table();
	for (size_t i = 0; i < COUNT(pairs); i++) {
		char name[40];

		snprintf(name, sizeof(name), "pair %zu of users, and a signal", i);
		is(in_child(try_pair, (void *)&pairs[i]), EXITED(0), name);
	}
	test_set_id();
	test_proc();
	is(in_child(try_orphan, NULL), EXITED(0), "a parent's death, and a subreaper");
	is(in_child(try_child_uid, NULL), EXITED(0), "a child's user in waitid");
	return finish();
}
