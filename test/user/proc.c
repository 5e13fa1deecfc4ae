/*
 * Tests what ps, top and programs like them read in /proc about themselves, and mount(2)'s results. Mounts what is
 * missing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define ROOM      65536
#define PROC_TYPE 0x9fa0

static char text[ROOM];

/* Read a whole file, in pieces of `piece` bytes, as a string into `text`. Returns its size or -errno. */
static long read_all(const char *path, size_t piece)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0), size = 0, got;

	if (file < 0)
		return file;
	while ((got = sys(SYS_read, file, text + size, piece)) > 0 && size + (long)piece < ROOM)
		size += got;
	sys(SYS_close, file);
	text[size] = '\0';
	return got < 0 ? got : size;
}

/* Return the line of `text` that starts with `name`, from behind that name on. NULL: there is none. */
static char *line_of(const char *name)
{
	char *line = text;

	while (line && strncmp(line, name, strlen(name)) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? line + strlen(name) : NULL;
}

static long number_of(const char *name)
{
	const char *line = line_of(name);

	return line ? strtol(line, NULL, 10) : -1;
}

/* Return a field of stat from the third on: stat_field(3) is the state's letter. */
static const char *stat_field(int number)
{
	const char *at = strrchr(text, ')');

	for (int i = 2; at && i < number; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? at : "";
}

static long stat_number(int number)
{
	return strtol(stat_field(number), NULL, 10);
}

static void test_stat(void)
{
	long size = read_all("/proc/self/stat", 4096);
	int fields = 2;

	is_true(size > 0 && text[size - 1] == '\n', size, "/proc/self/stat is a line");
	is(strtol(text, NULL, 10), getpid(), "which starts with the pid");
	is_true(strstr(text, " (proc) ") != NULL, 0, "and the name in parentheses");
	is(*stat_field(3), 'R', "state: running");
	is(stat_number(4), getppid(), "parent");
	is(stat_number(5), getpgrp(), "process group");
	is(stat_number(6), getsid(0), "session");
	is(stat_number(18), 20, "priority");
	is(stat_number(19), 0, "nice");
	is(stat_number(20), 1, "one thread");
	is_true(stat_number(23) % (long)PAGE == 0 && stat_number(23) > 0, stat_number(23), "size of its memory");
	is_true(stat_number(24) > 0 && stat_number(24) * (long)PAGE <= stat_number(23), stat_number(24), "resident");
	is_true(stat_number(26) <= (long)test_stat && (long)test_stat < stat_number(27), stat_number(26), "its code");
	is(stat_number(38), SIGCHLD, "exit signal");
	for (const char *at = strrchr(text, ')'); *at; at++)
		fields += *at == ' ';
	is(fields, 52, "52 fields");
}

static void test_status(void)
{
	is_true(read_all("/proc/self/status", 7) > 0, 0, "/proc/self/status, read in small pieces");
	is_true(strncmp(text, "Name:\tproc\n", 11) == 0, 0, "Name");
	is_true(strncmp(line_of("State:"), "\tR (running)\n", 13) == 0, 0, "State");
	is(number_of("Pid:"), getpid(), "Pid");
	is(number_of("Tgid:"), getpid(), "Tgid");
	is(number_of("PPid:"), getppid(), "PPid");
	is(number_of("Uid:"), getuid(), "Uid");
	is(number_of("Threads:"), 1, "Threads");
	is_true(number_of("VmRSS:") > 0 && number_of("VmRSS:") <= number_of("VmSize:"), number_of("VmRSS:"), "VmRSS");
	signal(SIGUSR2, SIG_IGN);
	read_all("/proc/self/status", 4096);
	is(strtol(line_of("SigIgn:"), NULL, 16) >> (SIGUSR2 - 1) & 1, 1, "SigIgn has an ignored signal");
	signal(SIGUSR2, SIG_DFL);
}

/* One line of maps. */
struct map {
	unsigned long start, end, offset, node;
	char rights[5], name[128];
};

/* Find the mapping that contains `address`. */
static int find_map(const void *address, struct map *ret)
{
	for (char *line = text; *line;) {
		char *end = strchr(line, '\n');
		int at = 0;

		*end = '\0';
		ret->name[0] = '\0';
		if (sscanf(line, "%lx-%lx %4s %lx %*x:%*x %lu %n", &ret->start, &ret->end, ret->rights, &ret->offset,
			   &ret->node, &at) < 5)
			return 0;
		snprintf(ret->name, sizeof(ret->name), "%s", line + at);
		*end = '\n';
		if (ret->start <= (unsigned long)address && (unsigned long)address < ret->end)
			return !ret->name[0] || (line + 73 < end && line[72] == ' ' && line[73] == ret->name[0]);
		line = end + 1;
	}
	return 0;
}

static void test_maps(void)
{
	char exe[PATH_MAX] = "", *heap = (char *)sys(SYS_brk, 0);
	char *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/a map", O_RDWR | O_CREAT, 0600);
	char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, (int)file, PAGE);
	struct map map;
	int local;

	is_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0, errno, "readlink /proc/self/exe");
	is_true(exe[0] == '/' && strcmp(strrchr(exe, '/'), "/proc") == 0, 0, "is the program's path");
	if (sys(SYS_brk, heap + PAGE) != (long)heap + (long)PAGE)
		bail("brk", (long)heap);
	heap[100] = 1;
	is_true(read_all("/proc/self/maps", 1000) > 0, 0, "/proc/self/maps");
	is_true(find_map((void *)test_maps, &map), 0, "has the program's code");
	is_text(map.rights, "r-xp", "which can be executed");
	is_text(map.name, exe, "from its file");
	is_true(map.node > 0, (long)map.node, "that has a number");
	is_true(find_map(&local, &map), 0, "the stack");
	is_text(map.name, "[stack]", "is called so");
	is_true(find_map(heap + 100, &map), 0, "the heap");
	is_text(map.name, "[heap]", "is called so");
	is_true(find_map(shared, &map), 0, "memory that is shared");
	is_text(map.rights, "r--s", "has an s");
	is_text(map.name, "/dev/zero (deleted)", "and a name");
	is_true(find_map(mapped, &map), 0, "a file that is mapped");
	is_text(map.name, "/tmp/a map", "has its name");
	is((long)map.offset, PAGE, "and its offset");
	unlink("/tmp/a map");
	read_all("/proc/self/maps", ROOM - 1);
	is_true(find_map(mapped, &map), 0, "a file that is gone");
	is_text(map.name, "/tmp/a map (deleted)", "says so");
	munmap(mapped, PAGE);
	munmap(shared, PAGE);
	sys(SYS_close, file);
}

/* Return the number of kB that status shows behind `name`. */
static long kib_now(const char *name)
{
	read_all("/proc/self/status", 4096);
	return number_of(name);
}

static void test_memory_kinds(void)
{
	const long kib = 40 * (long)PAGE / 1024, data = kib_now("VmData:"), library = kib_now("VmLib:");
	char *mapped = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long pages[7] = { 0 };

	is(kib_now("VmSwap:"), 0, "VmSwap");
	is_true(kib_now("VmExe:") > 0 && kib_now("VmStk:") > 0, kib_now("VmStk:"), "VmExe, VmStk");
	is(kib_now("VmData:") - data, kib, "VmData has what is private and writable");
	mprotect(mapped, 40 * PAGE, PROT_READ);
	is(kib_now("VmData:") - data, 0, "and not what is only read");
	mprotect(mapped + PAGE, 30 * PAGE, PROT_READ | PROT_EXEC);
	is(kib_now("VmLib:") - library, 30 * (long)PAGE / 1024, "VmLib has what is executable");
	read_all("/proc/self/statm", 100);
	sscanf(text, "%ld %ld %ld %ld %ld %ld", pages, pages + 1, pages + 2, pages + 3, pages + 4, pages + 5);
	is(pages[0] * (long)PAGE / 1024, kib_now("VmSize:"), "statm: size");
	is(pages[3] * (long)PAGE / 1024, kib_now("VmExe:"), "its code");
	is(pages[5] * (long)PAGE / 1024, kib_now("VmData:") + kib_now("VmStk:"), "and its data and stacks");
	munmap(mapped, 40 * PAGE);
	is(kib_now("VmLib:") - library, 0, "all is counted off again");
}

#define AREAS 500

/* Count the lines of maps in `text`, and check that each area begins at or behind the end of the one before. */
static int count_lines(void)
{
	unsigned long before = 0, start, end;
	int lines = 0;

	for (char *line = text; *line; line = strchr(line, '\n') + 1, lines++) {
		if (sscanf(line, "%lx-%lx ", &start, &end) != 2 || start < before || !strchr(line, '\n'))
			return -1;
		before = end;
	}
	return lines;
}

/* Read maps of many areas, from any offset, and while areas are unmapped. */
static void test_long_maps(void)
{
	static char whole[ROOM], piece[3000];
	char *mapped = mmap(NULL, AREAS * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long size, file, got, same = 0, tries = 0, at = 0;
	int lines;

	for (int i = 0; i < AREAS; i += 2)
		mprotect(mapped + i * (long)PAGE, PAGE, PROT_READ);
	size = read_all("/proc/self/maps", 5000);
	memcpy(whole, text, (size_t)size);
	lines = count_lines();
	is_true(lines >= AREAS, lines, "many maps, each line once");
	file = sys(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY, 0);
	for (long offset = size - 1; offset > 0; offset -= 1777, tries++) {
		got = sys(SYS_pread64, file, piece, sizeof(piece), offset);
		same += got > 0 && offset + got <= size && memcmp(piece, whole + offset, (size_t)got) == 0;
	}
	is(same, tries, "pread at any offset");
	is(sys(SYS_lseek, file, 9999, SEEK_SET), 9999, "lseek in them");
	got = sys(SYS_read, file, piece, 10);
	is_true(got == 10 && memcmp(piece, whole + 9999, 10) == 0, got, "read there");
	is(sys(SYS_pread64, file, piece, 10, size + 100), 0, "nothing is behind the end");
	is(sys(SYS_lseek, file, 0, SEEK_SET), 0, "from the start, while areas go");
	for (long done = 0; (got = sys(SYS_read, file, text + at, 777)) > 0; at += got, done += 8)
		munmap(mapped + done % AREAS * (long)PAGE, 3 * PAGE);
	text[at] = '\0';
	is(got, 0, "to the end");
	got = count_lines();
	is_true(got > 0 && got <= lines, got, "no line twice, and none torn");
	sys(SYS_close, file);
	munmap(mapped, AREAS * PAGE);
}

static void test_fd(void)
{
	char link[64], target[128] = "", expected[128];
	long file = sys(SYS_openat, AT_FDCWD, "/tmp/fd", O_RDWR | O_CREAT | O_TRUNC, 0600), again, dir;
	struct stat one, two;
	int ends[2];

	sys(SYS_write, file, "bytes", 5);
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", file);
	is(readlink(link, target, sizeof(target)), 7, "a descriptor is a link");
	is_text(target, "/tmp/fd", "to its file");
	is(sys(SYS_lstat, link, &one), 0, "lstat of it");
	is((long)one.st_mode, S_IFLNK | 0700, "it can be read and written");
	again = sys(SYS_openat, AT_FDCWD, link, O_RDONLY, 0);
	is_true(again >= 0, again, "open of it");
	is(sys(SYS_pread64, again, text, 10, 0), 5, "opens the same file");
	is(sys(SYS_lseek, again, 0, SEEK_CUR), 0, "anew");
	unlink("/tmp/fd");
	memset(target, 0, sizeof(target));
	readlink(link, target, sizeof(target));
	is_text(target, "/tmp/fd (deleted)", "when its name is gone it says so");
	is(sys(SYS_stat, link, &one), 0, "and still leads there");
	fstat((int)file, &two);
	is((long)one.st_ino, (long)two.st_ino, "to the same");
	sys(SYS_close, again);
	if (pipe(ends) != 0)
		bail("pipe", errno);
	fstat(ends[0], &one);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[0]);
	snprintf(expected, sizeof(expected), "pipe:[%lu]", (unsigned long)one.st_ino);
	memset(target, 0, sizeof(target));
	readlink(link, target, sizeof(target));
	is_text(target, expected, "a pipe has its number for a name");
	close(ends[0]);
	close(ends[1]);
	is(sys(SYS_lstat, link, &one), -ENOENT, "a closed one is gone");
	dir = sys(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY, 0);
	is_true(dir >= 0, dir, "the directory of descriptors");
	is_true(sys(SYS_getdents64, dir, text, ROOM) > 5 * 24, 0, "lists them");
	sys(SYS_close, dir);
	sys(SYS_close, file);
}

/* Remove a name of a file, and the directory that it is in: the file still has another name. */
static void test_two_names(void)
{
	char link[64], target[64] = "";
	long file;

	mkdir("/tmp/d1", 0755);
	mkdir("/tmp/d2", 0755);
	file = sys(SYS_openat, AT_FDCWD, "/tmp/d1/a", O_CREAT | O_RDWR, 0600);
	is(sys(SYS_link, "/tmp/d1/a", "/tmp/d2/b"), 0, "a second name in a second directory");
	is(sys(SYS_unlink, "/tmp/d2/b") + sys(SYS_rmdir, "/tmp/d2"), 0, "both go");
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", file);
	is(readlink(link, target, sizeof(target)), 9, "the descriptor's link");
	is_text(target, "/tmp/d1/a", "shows the name that is left");
	sys(SYS_unlink, "/tmp/d1/a");
	sys(SYS_rmdir, "/tmp/d1");
	sys(SYS_close, file);
}

/* Check a detached file system whose last user is a file without a name. */
static void test_detached(void)
{
	char byte = 0;
	long file;

	mkdir("/tmp/lazy", 0755);
	is(mount("none", "/tmp/lazy", "tmpfs", 0, ""), 0, "a tmpfs");
	file = sys(SYS_openat, AT_FDCWD, "/tmp/lazy/f", O_CREAT | O_RDWR, 0600);
	sys(SYS_unlink, "/tmp/lazy/f");
	is(sys(SYS_umount2, "/tmp/lazy", MNT_DETACH), 0, "is detached while an unlinked file is open");
	is(sys(SYS_write, file, "x", 1), 1, "that can be written");
	is(sys(SYS_pread64, file, &byte, 1, 0), 1, "and read");
	is(byte, 'x', "as ever");
	is(sys(SYS_close, file), 0, "the file system ends with it");
	is(sys(SYS_rmdir, "/tmp/lazy"), 0, "its directory is free");
}

/* Check that nothing can be mounted where no path leads any more, since nobody could unmount it. */
static void test_mount_out_of_reach(void)
{
	mkdir("/tmp/lazy", 0755);
	is(mount("none", "/tmp/lazy", "tmpfs", 0, ""), 0, "a tmpfs");
	is(sys(SYS_mkdir, "/tmp/lazy/d", 0755) + sys(SYS_chdir, "/tmp/lazy"), 0, "is the working directory");
	is(sys(SYS_umount2, "/tmp/lazy", MNT_DETACH), 0, "and detached");
	is(sys(SYS_mount, "none", "d", "tmpfs", 0, ""), -EINVAL, "nothing can be mounted in it");
	is(sys(SYS_mount, "none", ".", "tmpfs", 0, ""), -EINVAL, "nor on it");
	sys(SYS_chdir, "/tmp/lazy");
	is(sys(SYS_rmdir, "/tmp/lazy"), 0, "a working directory that is removed");
	is(sys(SYS_mount, "none", ".", "tmpfs", 0, ""), -ENOENT, "nor on that");
	sys(SYS_chdir, "/");
}

static void test_paths(void)
{
	char target[128] = "", pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	readlink("/proc/self", target, sizeof(target));
	is_text(target, pid, "/proc/self is a link to the own directory");
	chdir("/tmp");
	memset(target, 0, sizeof(target));
	readlink("/proc/self/cwd", target, sizeof(target));
	is_text(target, "/tmp", "cwd");
	memset(target, 0, sizeof(target));
	readlink("/proc/thread-self/root", target, sizeof(target));
	is_text(target, "/", "root, by way of thread-self");
	chdir("/");
	is(sys(SYS_access, "/proc/self/root/proc/self/stat", F_OK), 0, "through it everything can be reached");
	is(sys(SYS_access, "/proc/0", F_OK), -ENOENT, "no process 0");
	is(sys(SYS_access, "/proc/01", F_OK), -ENOENT, "01 is no number");
	is(sys(SYS_access, "/proc/self/nothing", F_OK), -ENOENT, "nothing else in it");
	is(sys(SYS_mkdir, "/proc/new", 0700), -ENOENT, "no directory can be made there");
	is(sys(SYS_unlink, "/proc/self/stat"), -EPERM, "nor a file removed");
}

static void test_strings(char **argv)
{
	long size = read_all("/proc/self/cmdline", 4096);

	is_text(text, argv[0], "cmdline starts with the program");
	is(text[size - 1], '\0', "and ends with NUL");
	is_true(read_all("/proc/self/environ", 4096) >= 0, 0, "environ");
	is_true(getenv("RUNNER") == NULL || memmem(text, ROOM, "RUNNER=1", 9) != NULL, 0,
		"has what it was started with");
	read_all("/proc/self/comm", 4096);
	is_text(text, "proc\n", "comm");
}

/* Read another process's directory while it runs, when it has ended, and when it is gone. */
static void test_other(void)
{
	char path[64], state;
	long dir, file;
	pid_t child = fork();

	while (child == 0)
		pause();
	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	do {
		sched_yield();
		if (read_all(path, 4096) <= 0)
			bail("stat of a child", 0);
		state = *stat_field(3);
	} while (state == 'R');
	is(state, 'S', "it sleeps");
	is(stat_number(4), getpid(), "its parent");
	file = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	*strrchr(path, '/') = '\0';
	dir = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	is(sys(SYS_readlinkat, dir, "cwd", text, ROOM), 1, "its working directory");
	kill(child, SIGKILL);
	strcat(path, "/stat");
	do
		read_all(path, 4096);
	while (*stat_field(3) != 'Z' && sched_yield() == 0);
	is(*stat_field(3), 'Z', "when it has ended it is a zombie");
	is(stat_number(23), 0, "without memory");
	is_true(sys(SYS_readlinkat, dir, "cwd", text, ROOM) == -ENOENT, 0, "and without a working directory");
	waitpid(child, NULL, 0);
	is(sys(SYS_access, path, F_OK), -ENOENT, "waited for, it is gone");
	is(sys(SYS_read, file, text, 100), -ESRCH, "and what was open of it cannot be read");
	is_true(sys(SYS_openat, dir, "status", O_RDONLY, 0) < 0, 0, "nor can the rest be opened");
	sys(SYS_close, file);
	sys(SYS_close, dir);
}

static void *wait_for_end(void *pipe_end)
{
	char byte;

	/* The name belongs to the thread alone. */
	prctl(PR_SET_NAME, "a thread");
	sys(SYS_read, *(int *)pipe_end, &byte, 1);
	return NULL;
}

/* Count the entries of a directory whose names are numbers; the entries are listed in small pieces. */
static int count_numbers(const char *path)
{
	long dir = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0), got;
	int count = 0;

	while ((got = sys(SYS_getdents64, dir, text, 64)) > 0)
		for (long at = 0; at < got; at += *(unsigned short *)(text + at + 16))
			count += text[at + 19] >= '0' && text[at + 19] <= '9';
	sys(SYS_close, dir);
	return got < 0 ? (int)got : count;
}

static void test_threads(void)
{
	pthread_t threads[2];
	char path[64];
	int ends[2];
	DIR *dir;

	if (pipe(ends) != 0)
		bail("pipe", errno);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, wait_for_end, &ends[0]) != 0)
			bail("pthread_create", i);
	is(count_numbers("/proc/self/task"), 3, "three threads in task");
	read_all("/proc/self/status", 4096);
	is(number_of("Threads:"), 3, "Threads says so too");
	read_all("/proc/thread-self/stat", 4096);
	is(stat_number(20), 3, "and stat");
	dir = opendir("/proc/self/task");
	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
		do
			read_all(path, 4096);
		while (strcmp(text, "proc\n") == 0 && sched_yield() == 0);
		is_text(text, "a thread\n", "a thread's own name");
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", entry->d_name);
		read_all(path, 4096);
		is(strtol(text, NULL, 10), atoi(entry->d_name), "its number in its stat");
		snprintf(path, sizeof(path), "/proc/%.16s/status", entry->d_name);
		read_all(path, 4096);
		is(number_of("Tgid:"), getpid(), "it can be found in /proc, though it is not listed");
	}
	closedir(dir);
	is(sys(SYS_access, "/proc/self/task/1000000", F_OK), -ENOENT, "no other thread");
	close(ends[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	while (count_numbers("/proc/self/task") != 1)
		sched_yield();
	close(ends[0]);
}

/* Read all files of each process's directory while processes come and go. */
static void test_churn(void)
{
	static const char *const names[] = { "stat", "status", "maps", "cmdline", "statm", "fd/0", "exe", "comm" };
	pid_t maker = fork();
	int rounds = 0;
	long wrong = 0;

	if (maker == 0) {
		for (int i = 0; i < 200; i++) {
			pid_t child = fork();

			if (child == 0)
				_exit(sched_yield());
			sched_yield();
			waitpid(child, NULL, 0);
		}
		_exit(0);
	}
	while (waitpid(maker, NULL, WNOHANG) == 0) {
		DIR *dir = opendir("/proc");
		struct dirent *entry;

		while (dir && (entry = readdir(dir)) != NULL) {
			char path[64];
			long got;

			if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
				continue;
			snprintf(path, sizeof(path), "/proc/%.16s/%s", entry->d_name,
				 names[rounds++ % (int)COUNT(names)]);
			got = strstr(path, "/exe") || strstr(path, "/fd") ? sys(SYS_readlink, path, text, ROOM)
									  : read_all(path, 500);
			/* On Linux the files of a kernel thread give EACCES. */
			if (got < 0 && got != -ENOENT && got != -ESRCH && got != -EACCES)
				wrong = got;
		}
		closedir(dir);
		sched_yield();
	}
	is(wrong, 0, "processes that come and go can be read, or are not there");
	is_true(rounds > 50, rounds, "many of them");
}

static void test_machine(void)
{
	double uptime = 0, idle = 0, loads[3];
	struct statfs statfs;
	int active = 0, all = 0;

	read_all("/proc/meminfo", 4096);
	is_true(number_of("MemTotal:") > 1000, number_of("MemTotal:"), "MemTotal");
	is_between(number_of("MemFree:"), 1, number_of("MemTotal:"), "MemFree");
	is_true(number_of("MemAvailable:") > 0, number_of("MemAvailable:"), "MemAvailable");
	read_all("/proc/uptime", 4096);
	is(sscanf(text, "%lf %lf", &uptime, &idle), 2, "two numbers in uptime");
	is_true(uptime > 0, (long)uptime, "it has been up");
	read_all("/proc/loadavg", 4096);
	is(sscanf(text, "%lf %lf %lf %d/%d", &loads[0], &loads[1], &loads[2], &active, &all), 5, "loadavg");
	is_true(active >= 1 && active <= all, active, "one that runs at least");
	read_all("/proc/stat", 4096);
	is_true(line_of("cpu  ") && line_of("cpu0 "), 0, "stat has the CPU's times");
	is_true(number_of("btime ") > 0 && number_of("processes ") > 0, 0, "when it started, and how many processes");
	is_true(number_of("ctxt ") > 0, 0, "and context switches");
	read_all("/proc/version", 4096);
	is_true(strncmp(text, "Linux version ", 14) == 0, 0, "version");
	read_all("/proc/cpuinfo", 4096);
	is(number_of("processor\t: "), 0, "cpuinfo has processor 0");
	is_true(line_of("flags\t\t: fpu ") != NULL, 0, "and flags");
	read_all("/proc/filesystems", 4096);
	is_true(line_of("nodev\ttmpfs\n") && line_of("nodev\tproc\n"), 0, "filesystems");
	read_all("/proc/mounts", 4096);
	is_true(strstr(text, " /proc proc rw") != NULL, 0, "mounts");
	read_all("/proc/sys/kernel/ostype", 4096);
	is_text(text, "Linux\n", "ostype");
	is(sys(SYS_statfs, "/proc", &statfs), 0, "statfs of /proc");
	is((long)statfs.f_type, PROC_TYPE, "its type");
	is((long)statfs.f_blocks, 0, "no blocks");
	is(read_all("/proc/self/fd", 10), -EISDIR, "read of a directory");
}

static void test_mount(void)
{
	struct stat below, inside;
	char old[64];
	long file;

	mkdir("/tmp/m", 0755);
	sys(SYS_close, sys(SYS_openat, AT_FDCWD, "/tmp/m/below", O_CREAT | O_WRONLY, 0600));
	stat("/tmp/m", &below);
	is(sys(SYS_umount2, "/tmp/m", 0), -EINVAL, "umount2 of what is no mount");
	is(sys(SYS_umount2, "/tmp/none", 0), -ENOENT, "of what is not there");
	is(sys(SYS_umount2, "/tmp/m", 0x100), -EINVAL, "with a bad flag");
	is(sys(SYS_umount2, 1, 0), -EFAULT, "with a bad pointer");
	is(sys(SYS_mount, "none", "/tmp/m", "nofs", 0, NULL), -ENODEV, "mount of an unknown type");
	is(sys(SYS_mount, "none", "/tmp/m", NULL, 0, NULL), -EINVAL, "of none");
	is(sys(SYS_mount, "none", "/tmp/none", "tmpfs", 0, NULL), -ENOENT, "nowhere");
	is(sys(SYS_mount, "none", "/tmp/m/below", "tmpfs", 0, NULL), -ENOTDIR, "on a file");
	is(sys(SYS_mount, 1, "/tmp/m", "tmpfs", 0, NULL), -EFAULT, "with a bad source");
	is(sys(SYS_mount, "none", "/tmp/m", 1, 0, NULL), -EFAULT, "with a bad type");
	is(sys(SYS_mount, "none", "/tmp/m", "tmpfs", 0, 1), -EFAULT, "with bad options");
	is(sys(SYS_mount, "none", "/tmp/m", "tmpfs", 0, "what=1"), -EINVAL, "with unknown options");
	is(sys(SYS_mount, "none", "/tmp/m", NULL, MS_REMOUNT, NULL), -EINVAL, "remount of what is no mount");
	is(sys(SYS_mount, "a source", "/tmp/m", "tmpfs", MS_NOSUID, "mode=0750"), 0, "mount of a tmpfs");
	is(sys(SYS_access, "/tmp/m/below", F_OK), -ENOENT, "covers what was there");
	stat("/tmp/m", &inside);
	is((long)inside.st_mode, S_IFDIR | 0750, "it has the mode that was asked for");
	is_true(inside.st_dev != below.st_dev, (long)inside.st_dev, "and another st_dev");
	read_all("/proc/self/mounts", 4096);
	is_true(line_of("a\\040source /tmp/m tmpfs rw,nosuid,relatime") != NULL, 0, "mounts shows it");
	mkdir("/tmp/m/dir", 0700);
	is(sys(SYS_mount, "none", "/tmp/m/dir", "tmpfs", 0, NULL), 0, "one more inside");
	is(sys(SYS_umount2, "/tmp/m", 0), -EBUSY, "umount2 of the outer one");
	is(sys(SYS_rename, "/tmp/m/dir", "/tmp/m/x"), -EBUSY, "rename of a mount");
	is(sys(SYS_rmdir, "/tmp/m/dir"), -EBUSY, "rmdir of one");
	is(sys(SYS_umount2, "/tmp/m/dir", 0), 0, "umount2 of the inner one");
	file = sys(SYS_openat, AT_FDCWD, "/tmp/m/file", O_CREAT | O_RDWR, 0600);
	is(sys(SYS_umount2, "/tmp/m", 0), -EBUSY, "umount2 while a file is open");
	sys(SYS_close, file);
	getcwd(old, sizeof(old));
	chdir("/tmp/m/dir");
	is(sys(SYS_umount2, "/tmp/m", 0), -EBUSY, "and while somebody is in there");
	chdir(old);
	is(sys(SYS_umount2, "/tmp/m", 0), 0, "umount2");
	is(sys(SYS_access, "/tmp/m/below", F_OK), 0, "what was below is there again");
	is(sys(SYS_mount, "sys", "/tmp/m", "sysfs", 0, NULL), 0, "mount of a sysfs");
	is(sys(SYS_mount, "sys", "/tmp/m", "sysfs", 0, NULL), -EBUSY, "but not twice at one place");
	is(sys(SYS_umount2, "/tmp/m", 0), 0, "umount2 of it");
	is(sys(SYS_mount, "proc", "/proc", "proc", 0, NULL), 0, "proc on /proc a second time");
	is(sys(SYS_access, "/proc/self/stat", F_OK), 0, "is another of the same");
	is(sys(SYS_umount2, "/proc", 0), 0, "umount2 of it");
	is(sys(SYS_access, "/proc/self/stat", F_OK), 0, "leaves the first");
	unlink("/tmp/m/below");
	rmdir("/tmp/m");
}

static long put(const char *path, const char *what)
{
	long file = sys(SYS_openat, AT_FDCWD, path, O_WRONLY, 0), result;

	result = file < 0 ? file : sys(SYS_write, file, what, strlen(what));
	sys(SYS_close, file);
	return result;
}

static int read_adjust(void *unused)
{
	(void)unused;
	return read_all("/proc/self/oom_score_adj", 64) == 4 && !strcmp(text, "500\n");
}

static void test_oom_score(void)
{
	is(read_all("/proc/self/oom_score_adj", 64), 2, "oom_score_adj");
	is(strtol(text, NULL, 10), 0, "is 0");
	read_all("/proc/self/oom_score", 64);
	is_between(strtol(text, NULL, 10), 660, 760, "oom_score of a small process");
	is(put("/proc/self/oom_score_adj", "500\n"), 4, "oom_score_adj is set");
	is(in_child(read_adjust, NULL), EXITED(1), "and goes to a child");
	is(put("/proc/self/oom_score_adj", "1000"), 4, "it is 1000 at the most");
	read_all("/proc/self/oom_score", 64);
	is_between(strtol(text, NULL, 10), 1320, 1420, "which makes for a high score");
	is(put("/proc/self/oom_score_adj", "1001"), -EINVAL, "more is refused");
	is(put("/proc/self/oom_score_adj", "-1001"), -EINVAL, "less than -1000, too");
	is(put("/proc/self/oom_score_adj", "much"), -EINVAL, "and what is no number");
	is(put("/proc/self/oom_score_adj", "-1000"), 5, "it is -1000 at the least");
	read_all("/proc/self/oom_score", 64);
	is(strtol(text, NULL, 10), 0, "which makes for none");
	is(put("/proc/self/oom_score_adj", "0"), 1, "and 0 again");
}

/* Check the options of tmpfs, such as limits of size and read-only, and an unmount of one that is in use. */
static void test_mount_options(void)
{
	long file, new, mapped;
	struct statfs statfs;
	struct sysinfo info;

	mkdir("/tmp/m", 0755);
	is(sys(SYS_mount, "none", "/tmp/m", "tmpfs", 0, NULL), 0, "mount of a tmpfs without options");
	sys(SYS_statfs, "/tmp/m", &statfs);
	sys(SYS_sysinfo, &info);
	is((long)statfs.f_blocks, (long)(info.totalram / 2 / PAGE), "which has room for half of the memory");
	is((long)statfs.f_bfree, (long)statfs.f_blocks, "and is empty");
	is((long)statfs.f_files, (long)(info.totalram / 2 / PAGE), "with as many nodes as pages");
	is(sys(SYS_umount2, "/tmp/m", 0), 0, "umount2");
	is(sys(SYS_mount, "none", "/tmp/m", "tmpfs", 0, "size=8k,nr_inodes=3"), 0, "mount of a small tmpfs");
	file = sys(SYS_openat, AT_FDCWD, "/tmp/m/f", O_CREAT | O_RDWR, 0600);
	is(sys(SYS_write, file, text, 3 * PAGE), 2 * PAGE, "it takes what fits");
	is(sys(SYS_write, file, text, 1), -ENOSPC, "and no more");
	sys(SYS_statfs, "/tmp/m", &statfs);
	is((long)statfs.f_blocks, 2, "statfs: its size");
	is((long)statfs.f_bfree, 0, "and that it is full");
	is(sys(SYS_mkdir, "/tmp/m/d", 0700), 0, "a third node");
	is(sys(SYS_mkdir, "/tmp/m/e", 0700), -ENOSPC, "is the last");
	is(sys(SYS_mount, "none", "/tmp/m", NULL, MS_REMOUNT | MS_RDONLY, NULL), -EBUSY,
	   "not read-only while a file is open for writing");
	mapped = sys(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	sys(SYS_close, file);
	is(sys(SYS_mount, "none", "/tmp/m", NULL, MS_REMOUNT | MS_RDONLY, NULL), -EBUSY, "nor while one is mapped so");
	is(sys(SYS_munmap, mapped, PAGE), 0, "which ends");
	is(sys(SYS_mount, "none", "/tmp/m", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "but then");
	is(sys(SYS_openat, AT_FDCWD, "/tmp/m/new", O_CREAT | O_RDWR, 0600), -EROFS, "no file is made any more");
	is(sys(SYS_openat, AT_FDCWD, "/tmp/m/f", O_RDWR, 0), -EROFS, "none written");
	is(sys(SYS_mkdir, "/tmp/m/new", 0700), -EROFS, "no directory made");
	is(sys(SYS_mkdir, "/tmp/m/d", 0700), -EEXIST, "though one that is there is there");
	is(sys(SYS_unlink, "/tmp/m/f"), -EROFS, "nothing removed");
	is(sys(SYS_rename, "/tmp/m/f", "/tmp/m/g"), -EROFS, "nor renamed");
	is(sys(SYS_chmod, "/tmp/m/f", 0644), -EROFS, "nor changed");
	is(sys(SYS_truncate, "/tmp/m/f", 0), -EROFS, "nor cut");
	is(sys(SYS_utime, "/tmp/m/f", NULL), -EROFS, "nor given other times");
	is(sys(SYS_utimes, "/tmp/m/f", NULL), -EROFS, "in any way");
	is(sys(SYS_utimensat, AT_FDCWD, "/tmp/m/f", NULL, 0), -EROFS, "that there is");
	is(sys(SYS_access, "/tmp/m/f", W_OK), -EROFS, "access says so too");
	file = sys(SYS_openat, AT_FDCWD, "/tmp/m/f", O_RDONLY, 0);
	is(sys(SYS_umount2, "/tmp/m", MNT_DETACH), 0, "umount2 with MNT_DETACH while it is used");
	is(sys(SYS_access, "/tmp/m/f", F_OK), -ENOENT, "it is gone from the tree");
	is(sys(SYS_read, file, text, 10), 10, "and not for who uses it");
	sys(SYS_close, file);
	is(sys(SYS_mount, "none", "/tmp/m", "tmpfs", MS_NOEXEC | MS_NODEV, NULL), 0, "mount with noexec, nodev");
	new = sys(SYS_openat, AT_FDCWD, "/tmp/m/x", O_CREAT | O_WRONLY, 0755);
	sys(SYS_close, new);
	is(sys(SYS_execve, "/tmp/m/x", NULL, NULL), -EACCES, "execve there");
	sys(SYS_mknod, "/tmp/m/null", S_IFCHR | 0666, 0x103);
	is(sys(SYS_openat, AT_FDCWD, "/tmp/m/null", O_RDWR, 0), -EACCES, "open of a device there");
	is(sys(SYS_umount2, "/tmp/m", 0), 0, "umount2");
	rmdir("/tmp/m");
}

/* Check that nobody can change a process's directory, or the rights to the files in it; the same holds for settings. */
static void test_fixed_attributes(void)
{
	static const struct {
		const char *path;
		long chmod, chown, times;
	} files[] = {
		{ "/proc/self", -EPERM, -EPERM, -EPERM },
		{ "/proc/thread-self", -EPERM, -EPERM, -EPERM },
		{ "/proc/self/status", -EPERM, 0, 0 },
		{ "/proc/self/fd", -EPERM, 0, 0 },
		{ "/proc/self/net", -EPERM, 0, 0 },
		{ "/proc/sys", -EPERM, -EPERM, 0 },
		{ "/proc/sys/kernel/hostname", -EPERM, -EPERM, 0 },
		{ "/proc/meminfo", 0, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = files[i].path;

		is(sys(SYS_chmod, path, 0444), files[i].chmod, path);
		is(sys(SYS_chown, path, 0, 0), files[i].chown, "chown");
		is(sys(SYS_chown, path, -1, -1), 0, "chown to nobody else");
		is(sys(SYS_utimensat, AT_FDCWD, path, NULL, 0), files[i].times, "utimensat");
	}
	is(sys(SYS_lchown, "/proc/self", 0, 0), 0, "lchown of the link /proc/self");
	is(sys(SYS_truncate, "/proc/self/status", 0), 0, "a text that is made is not cut off");
	is(sys(SYS_truncate, "/proc/meminfo", 0), 0, "whoever's it is");
}

static void test_net(void)
{
	char target[16] = "", all[64];
	struct stat status;
	long size;

	is(sys(SYS_readlink, "/proc/net", target, sizeof(target)), 8, "/proc/net");
	is(memcmp(target, "self/net", 8), 0, "leads to the process's own");
	size = read_all("/proc/net/unix", 64);
	is_true(size > 0, size, "which has the sockets");
	snprintf(all, sizeof(all), "%.20s", text);
	read_all("/proc/self/task/../net/unix", ROOM / 2);
	is(strncmp(text, all, strlen(all)), 0, "by whatever way");
	is(sys(SYS_stat, "/proc/self/net", &status), 0, "stat");
	is(status.st_mode, S_IFDIR | 0555, "a directory");
	is(sys(SYS_stat, "/proc/self/net/none", &status), -ENOENT, "without other names");
}

int main(int argc, char **argv)
{
	(void)argc;
	if (access("/proc/self/stat", F_OK) != 0) {
		mkdir("/proc", 0555);
		if (mount("proc", "/proc", "proc", 0, NULL) != 0)
			bail("/proc cannot be mounted", errno);
	}
	mkdir("/tmp", 01777);
	test_stat();
	test_status();
	test_maps();
	test_memory_kinds();
	test_long_maps();
	test_fd();
	test_two_names();
	test_detached();
	test_mount_out_of_reach();
	test_paths();
	test_strings(argv);
	test_other();
	test_threads();
	test_churn();
	test_machine();
	test_net();
	if (getuid() == 0) {
		test_fixed_attributes();
		test_mount();
		test_oom_score();
		test_mount_options();
	}
	return finish();
}
