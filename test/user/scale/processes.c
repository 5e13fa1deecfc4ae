/* Processes: N that do nothing, in groups of their own or in one, or that have ended. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

#include "test/user/scale/scale.h"

#define LARGEST 8000

static int middle, child, directory, tid;
static char name[64];
static struct sysinfo seen;
static siginfo_t seen_news;
static struct rlimit64 seen_limit;
static uint64_t seen_cpus[16];

/* Each in a group of its own. */
static void processes(unsigned n)
{
	processes_start(n);
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_setpgid, tasks[i], tasks[i]), "setpgid");
	middle = tasks[n / 2];
	directory = open_file("/proc");
}

static int spawn_ending(void)
{
	return spawn(PROCESS, NULL, SYS_exit, 0, 0, 0);
}

static long spawn_and_wait(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_wait4, spawn_ending(), NULL, 0, NULL);
}

static long exec_and_wait(unsigned n, unsigned turn)
{
	static const char *const words[] = { "/tiny", NULL };
	long pid = sys(SYS_vfork);

	(void)n, (void)turn;
	if (pid == 0) {
		sys(SYS_execve, words[0], words, words + 1);
		sys(SYS_exit_group, 1);
	}
	return pid < 0 ? pid : sys(SYS_wait4, pid, NULL, 0, NULL);
}

/* One that has ended, and whose end nobody has taken. */
static void end_one(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	child = spawn_ending();
	must(sys(SYS_waitid, P_PID, child, &seen_news, WEXITED | WNOWAIT, NULL), "waitid");
}

static long wait_for_it(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_wait4, child, NULL, 0, NULL);
}

static long wait_for_any(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_wait4, -1, NULL, 0, NULL);
}

static long wait_for_none(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_wait4, -1, NULL, WNOHANG, NULL);
}

static long wait_for_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_wait4, middle, NULL, WNOHANG, NULL);
}

static long kill_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, middle, 0);
}

static long kill_group(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, -middle, 0);
}

/* ESRCH is what a number without a process must say. */
static long kill_missing(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_kill, 999999, 0) == -3 ? 0 : -1;
}

static long get_priority(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getpriority, PRIO_PROCESS, middle);
}

static long get_group_priority(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getpriority, PRIO_PGRP, middle);
}

static long set_group_priority(unsigned n, unsigned turn)
{
	(void)n;
	return sys(SYS_setpriority, PRIO_PGRP, middle, turn);
}

static long get_group(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getpgid, middle);
}

static long get_session(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getsid, middle);
}

static long change_group(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_setpgid, middle, tasks[0]);
}

static void change_back(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_setpgid, middle, middle), "setpgid");
}

static long get_affinity(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_sched_getaffinity, middle, sizeof(seen_cpus), seen_cpus);
}

static long get_limit(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_prlimit64, middle, RLIMIT_NOFILE, NULL, &seen_limit);
}

static long yield(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_sched_yield);
}

/* Nobody but the kernel knows when a thread is gone: it clears `tid` and wakes who waits there. */
static long thread_and_join(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	tid = 1;
	spawn(THREAD | CLONE_CHILD_CLEARTID, &tid, SYS_exit, 0, 0, 0);
	while (*(volatile int *)&tid)
		sys(SYS_futex, &tid, 0, 1, NULL);
	return 0;
}

static long get_info(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_sysinfo, &seen);
}

static long read_load(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path("/proc/loadavg");
}

static long read_stat(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path("/proc/stat");
}

static long read_meminfo(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path("/proc/meminfo");
}

static long list_processes(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_all(directory);
}

static long list_first(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_once(directory, 300);
}

static void name_middle(const char *what)
{
	snprintf(name, sizeof(name), "/proc/%d/%s", middle, what);
}

static void name_stat(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	name_middle("stat");
}

static void name_status(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	name_middle("status");
}

static long read_named(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_path(name);
}

/* All in the first one's group. */
static void group(unsigned n)
{
	processes_start(n);
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_setpgid, tasks[i], tasks[0]), "setpgid");
	middle = tasks[0];
}

/* Ended, and nobody has waited for them. */
static void zombies(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		tasks[i] = spawn_ending();
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_waitid, P_PID, tasks[i], &seen_news, WEXITED | WNOWAIT, NULL), "waitid");
	middle = tasks[n / 2];
}

static void reap(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_wait4, -1, NULL, 0, NULL), "wait4");
}

/* The one that is taken is replaced. */
static void end_another(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_waitid, P_PID, spawn_ending(), &seen_news, WEXITED | WNOWAIT, NULL), "waitid");
}

/* A process that has N children of its own waits to be killed. */
static void family(unsigned n, unsigned turn)
{
	int ready[2];
	char byte;

	(void)turn;
	must(sys(SYS_pipe, ready), "pipe");
	child = (int)must(sys(SYS_fork), "fork");
	if (child == 0) {
		processes_start(n);
		sys(SYS_write, ready[1], "", 1);
		for (;;)
			sys(SYS_pause);
	}
	must(sys(SYS_read, ready[0], &byte, 1), "read");
	sys(SYS_close, ready[0]);
	sys(SYS_close, ready[1]);
}

static long end_family(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_kill, child, SIGKILL);
	return sys(SYS_wait4, child, NULL, 0, NULL);
}

#define AMONG   .largest = LARGEST, .setup = processes, .teardown = processes_end
#define GROUP   .largest = LARGEST, .setup = group, .teardown = processes_end
#define ZOMBIES .largest = LARGEST, .setup = zombies, .teardown = reap

static const struct row rows[] = {
	{ "fork, exit, wait4", AMONG, .step = fork_and_wait },
	{ "clone with shared memory, exit, wait4", AMONG, .step = spawn_and_wait },
	{ "vfork, exec, exit, wait4", AMONG, .step = exec_and_wait },
	{ "thread create and join", AMONG, .step = thread_and_join },
	{ "wait4 of a process", AMONG, .before = end_one, .step = wait_for_it },
	{ "wait4 of any", AMONG, .before = end_one, .step = wait_for_any },
	{ "wait4 of any, none ended", AMONG, .step = wait_for_none },
	{ "wait4 of a process, not ended", AMONG, .step = wait_for_middle },
	{ "kill of a process", AMONG, .step = kill_middle },
	{ "kill of a group", AMONG, .step = kill_group },
	{ "kill of a missing number", AMONG, .step = kill_missing },
	{ "getpriority of a process", AMONG, .step = get_priority },
	{ "getpriority of a group", AMONG, .step = get_group_priority },
	{ "setpriority of a group", AMONG, .step = set_group_priority },
	{ "getpgid", AMONG, .step = get_group },
	{ "getsid", AMONG, .step = get_session },
	{ "setpgid", AMONG, .step = change_group, .after = change_back },
	{ "sched_getaffinity", AMONG, .step = get_affinity },
	{ "prlimit", AMONG, .step = get_limit },
	{ "sched_yield", AMONG, .step = yield },
	{ "sysinfo", AMONG, .step = get_info },
	{ "/proc/loadavg", AMONG, .step = read_load },
	{ "/proc/stat", AMONG, .step = read_stat },
	{ "/proc/meminfo", AMONG, .step = read_meminfo },
	{ "/proc/PID/stat", AMONG, .before = name_stat, .step = read_named },
	{ "/proc/PID/status", AMONG, .before = name_status, .step = read_named },
	{ "list /proc, a process", AMONG, .each = true, .step = list_processes },
	{ "first names of /proc", AMONG, .step = list_first },
	{ "kill of a group, a process", GROUP, .each = true, .step = kill_group },
	{ "getpriority of a group, a process", GROUP, .each = true, .step = get_group_priority },
	{ "kill of a process, N ended", ZOMBIES, .step = kill_middle },
	{ "fork and exit, N ended", ZOMBIES, .step = fork_and_wait },
	{ "wait4 of any, N ended", ZOMBIES, .step = wait_for_any, .after = end_another },
	{ "exit of a parent, a child", .largest = 2000, .each = true, .before = family, .step = end_family },
};

ROOM(processes);
