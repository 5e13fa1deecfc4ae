/*
 * Tests System V's shared memory: shmget, shmat, shmdt, shmctl, what fork, exec and exit do to it, and
 * /proc/sysvipc/shm.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define KEY      0x4b455931
#define STRANGER 1234
#define SIZE     (3 * PAGE - 100)

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

static long get(long key, size_t size, int flags)
{
	return sys(SYS_shmget, key, size, flags);
}

static char *attach(long id, void *at, int flags)
{
	return (char *)sys(SYS_shmat, id, at, flags);
}

static long control(long id, int command, void *buffer)
{
	return sys(SYS_shmctl, id, command, buffer);
}

static long attached(long id)
{
	struct shmid_ds state;
	long error = control(id, IPC_STAT, &state);

	return error ? error : (long)state.shm_nattch;
}

static bool is_error(const void *address)
{
	return (unsigned long)address > -PAGE;
}

static void test_get(void)
{
	struct shmid_ds state;
	long id, other;

	is(get(KEY, SIZE, 0600), -ENOENT, "shmget: no such key");
	is(get(KEY, 0, IPC_CREAT | 0600), -EINVAL, "a segment of no bytes");
	is(get(KEY, PAGE, IPC_CREAT | SHM_HUGETLB | 0600), -ENOMEM, "huge pages: there are none");
	id = get(KEY, SIZE, IPC_CREAT | IPC_EXCL | 0640);
	is_true(id >= 0, id, "a segment is made");
	is(get(KEY, SIZE, 0600), id, "and found by its key");
	is(get(KEY, 0, 0), id, "also if no size is asked for");
	is(get(KEY, SIZE + 1, 0), -EINVAL, "but not if it is too small");
	is(get(KEY, SIZE, IPC_CREAT | IPC_EXCL), -EEXIST, "IPC_EXCL wants a new one");
	is(control(id, IPC_STAT, &state), 0, "IPC_STAT");
	is((long)state.shm_segsz, SIZE, "says the size");
	is(state.shm_perm.mode, 0640, "the permissions");
	is(state.shm_perm.__key, KEY, "the key");
	is(state.shm_cpid, getpid(), "who made it");
	is(state.shm_lpid, 0, "that nobody has used it");
	is(state.shm_atime, 0, "and when");
	is_true(state.shm_ctime > 0, state.shm_ctime, "but when it was made");
	is(state.shm_perm.uid, geteuid(), "its owner");
	is(control(id, IPC_RMID, NULL), 0, "IPC_RMID");
	is(control(id, IPC_STAT, &state), -EINVAL, "then it is gone");
	is(get(KEY, SIZE, 0600), -ENOENT, "and its key, too");
	id = get(IPC_PRIVATE, 1, 0600);
	other = get(IPC_PRIVATE, 1, 0600);
	is_true(id >= 0 && other >= 0 && id != other, other, "IPC_PRIVATE makes a new one each time");
	control(id, IPC_RMID, NULL);
	is_true(get(IPC_PRIVATE, 1, 0600) != id, id, "an id is not used again at once");
	control(other, IPC_RMID, NULL);
	is(control(-1, IPC_STAT, &state), -EINVAL, "a negative id");
	is(control(0, 99, &state), -EINVAL, "an unknown command");
	is(get(IPC_PRIVATE, ~0UL, 0600), -EINVAL, "a size beyond SHMMAX");
}

static int write_and_see(void *argument)
{
	long id = *(long *)argument;
	char *at = attach(id, NULL, 0);

	if (is_error(at) || at[5] != 'p' || attached(id) != 3)
		return 1;
	at[6] = 'c';
	if (sys(SYS_shmdt, at) != 0 || attached(id) != 2)
		return 2;
	return 0;
}

static void test_attach(void)
{
	long id = get(IPC_PRIVATE, SIZE, 0600);
	struct shmid_ds state;
	char *at = attach(id, NULL, 0), *second;

	is_true(!is_error(at), (long)at, "shmat");
	is((long)at % (long)PAGE, 0, "at a page");
	is(at[0] | at[SIZE - 1] | at[3 * PAGE - 1], 0, "zeros up to the page's end");
	at[5] = 'p';
	is(in_child(write_and_see, &id), EXITED(0), "a child has it, and can attach it again");
	is(at[6], 'c', "and what it writes is seen");
	is(attached(id), 1, "a child that ends detaches it");
	second = attach(id, NULL, SHM_RDONLY);
	is_true(!is_error(second) && second != at, (long)second, "attached again, to read");
	is(second[6], 'c', "the same bytes");
	is(in_child((int (*)(void *))touch_write, second), KILLED(SIGSEGV), "a write ends the program");
	is(sys(SYS_mprotect, second, PAGE, PROT_READ | PROT_WRITE), -EACCES, "mprotect does not give the right");
	is(attached(id), 2, "two attachments");
	is(control(id, IPC_STAT, &state), 0, "IPC_STAT");
	is_true(state.shm_lpid != 0 && state.shm_atime > 0 && state.shm_dtime > 0, state.shm_lpid, "says who and when");
	is(sys(SYS_shmdt, second + 1), -EINVAL, "shmdt: not a page");
	is(sys(SYS_shmdt, second + PAGE), -EINVAL, "not a beginning");
	is(sys(SYS_munmap, second + PAGE, PAGE), 0, "a hole in it");
	is(attached(id), 3, "makes two of the area");
	is(sys(SYS_shmdt, second), 0, "shmdt takes both");
	is(attached(id), 1, "and the first stays");
	is(sys(SYS_shmdt, second), -EINVAL, "which shmdt does not take");
	is(sys(SYS_shmdt, at), 0, "shmdt");
	is(in_child((int (*)(void *))touch_read, at), KILLED(SIGSEGV), "nothing is left there");
	at = attach(id, NULL, 0);
	is(at[6], 'c', "an unattached segment keeps its bytes");
	sys(SYS_shmdt, at);
	is((long)attach(id + 1, NULL, 0), -EINVAL, "no such segment");
	is((long)attach(-1, NULL, 0), -EINVAL, "a negative id");
	control(id, IPC_RMID, NULL);
}

static void test_places(void)
{
	long id = get(IPC_PRIVATE, 2 * PAGE, 0700);
	char *room = fresh(8 * PAGE, PROT_READ | PROT_WRITE), *at;

	room[0] = 'r';
	is((long)attach(id, room, 0), -EINVAL, "a place that is taken");
	is((long)attach(id, room + 5, SHM_REMAP), -EINVAL, "that is no page");
	is((long)attach(id, NULL, SHM_REMAP), -EINVAL, "SHM_REMAP without a place");
	is((long)attach(id, room, SHM_REMAP), (long)room, "SHM_REMAP takes it");
	is(room[0], 0, "with what was there");
	is((long)attach(id, room + 3 * PAGE + 5, SHM_RND | SHM_REMAP), (long)(room + 3 * PAGE), "SHM_RND rounds down");
	room[0] = 'x';
	is(room[3 * PAGE], 'x', "both are the segment");
	is(sys(SYS_munmap, room + 6 * PAGE, 2 * PAGE), 0, "room");
	is((long)attach(id, room + 6 * PAGE, 0), (long)(room + 6 * PAGE), "a free place is used");
	is(attached(id), 3, "three attachments");
	is(sys(SYS_shmdt, room), 0, "shmdt of the first");
	is(room[3 * PAGE], 'x', "leaves the second");
	is(sys(SYS_shmdt, room + 3 * PAGE), 0, "shmdt of the second");
	is(sys(SYS_shmdt, room + 6 * PAGE), 0, "shmdt of the third");
	at = attach(id, NULL, SHM_EXEC);
	is_true(!is_error(at), (long)at, "SHM_EXEC");
	at[8] = (char)0xc3;
	((void (*)(void))(at + 8))();
	is_true(true, 0, "its bytes can be executed");
	at[9] = 'w';
	is(at[9], 'w', "and written again");
	sys(SYS_shmdt, at);
	control(id, IPC_RMID, NULL);
	sys(SYS_munmap, room, 8 * PAGE);
}

static void test_removal(void)
{
	long id = get(KEY, PAGE, IPC_CREAT | 0600), fresh_id;
	struct shmid_ds state;
	char *at = attach(id, NULL, 0), *second;

	at[0] = 'k';
	is(control(id, IPC_RMID, NULL), 0, "IPC_RMID of an attached segment");
	is(at[0], 'k', "leaves its bytes");
	is(control(id, IPC_STAT, &state), 0, "and it can be asked for");
	is(state.shm_perm.mode, 0600 | SHM_DEST, "it is marked SHM_DEST");
	is(state.shm_perm.__key, IPC_PRIVATE, "has no key any more");
	fresh_id = get(KEY, PAGE, IPC_CREAT | 0600);
	is_true(fresh_id >= 0 && fresh_id != id, fresh_id, "which makes a new one");
	control(fresh_id, IPC_RMID, NULL);
	second = attach(id, NULL, 0);
	is_true(!is_error(second), (long)second, "it can still be attached");
	sys(SYS_shmdt, at);
	is(attached(id), 1, "one is left");
	sys(SYS_shmdt, second);
	is(control(id, IPC_STAT, &state), -EINVAL, "the last one that detaches it ends it");
	id = get(IPC_PRIVATE, PAGE, 0600);
	at = attach(id, NULL, 0);
	control(id, IPC_RMID, NULL);
	is(sys(SYS_munmap, at, PAGE), 0, "munmap detaches, too");
	is(control(id, IPC_STAT, &state), -EINVAL, "and ends it");
}

struct stranger {
	long id;
	char *at;
};

static int as_stranger(void *argument)
{
	const struct stranger *s = argument;
	struct shmid_ds state;

	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
		return 1;
	if ((long)attach(s->id, NULL, 0) != -EACCES)
		return 2;
	if (is_error(attach(s->id, NULL, SHM_RDONLY)))
		return 3;
	if (control(s->id, IPC_STAT, &state) != 0)
		return 4;
	if (control(s->id, IPC_RMID, NULL) != -EPERM)
		return 5;
	if (control(s->id, IPC_SET, &state) != -EPERM)
		return 6;
	if (get(KEY, PAGE, 0600) != -EACCES || get(KEY, PAGE, 0400) != s->id)
		return 7;
	if (control(s->id, SHM_LOCK, NULL) != -EPERM)
		return 8;
	return 0;
}

static int as_reader(void *argument)
{
	const struct stranger *s = argument;
	struct shmid_ds state;

	if (setgid(STRANGER) != 0 || setuid(STRANGER) != 0)
		return 1;
	if (control(s->id, IPC_STAT, &state) != -EACCES)
		return 2;
	if (control(s->id & 0x7fff, SHM_STAT, &state) != -EACCES)
		return 3;
	return control(s->id & 0x7fff, SHM_STAT_ANY, &state) != s->id;
}

static void test_permissions(void)
{
	struct stranger s = { .id = get(KEY, PAGE, IPC_CREAT | 0604) };
	struct shmid_ds state;

	if (geteuid() != 0) {
		control(s.id, IPC_RMID, NULL);
		return;
	}
	is(in_child(as_stranger, &s), EXITED(0), "what a stranger may do");
	control(s.id, IPC_STAT, &state);
	state.shm_perm.uid = STRANGER;
	state.shm_perm.mode = 0xffff;
	is(control(s.id, IPC_SET, &state), 0, "IPC_SET");
	control(s.id, IPC_STAT, &state);
	is(state.shm_perm.uid, STRANGER, "has set the owner");
	is(state.shm_perm.cuid, 0, "not the creator");
	is(state.shm_perm.mode, 0777, "and the permissions");
	state.shm_perm.uid = 77;
	state.shm_perm.mode = 0600;
	control(s.id, IPC_SET, &state);
	is(in_child(as_reader, &s), EXITED(0), "without the right to read only SHM_STAT_ANY works");
	state.shm_perm.uid = (uid_t)-1;
	is(control(s.id, IPC_SET, &state), -EINVAL, "no such owner");
	is(control(s.id, IPC_SET, (void *)8), -EFAULT, "IPC_SET of nothing");
	is(control(s.id, IPC_STAT, (void *)8), -EFAULT, "IPC_STAT to nowhere");
	is(control(s.id, SHM_LOCK, NULL), 0, "SHM_LOCK");
	control(s.id, IPC_STAT, &state);
	is(state.shm_perm.mode, 0600 | SHM_LOCKED, "is shown");
	is(control(s.id, SHM_UNLOCK, NULL), 0, "SHM_UNLOCK");
	control(s.id, IPC_STAT, &state);
	is(state.shm_perm.mode, 0600, "as well");
	control(s.id, IPC_RMID, NULL);
}

/* Return whether the file, such as /proc/sysvipc/shm, has a line that begins with `start`. */
static bool has_line(const char *path, const char *start)
{
	char line[512];
	bool found = false;
	FILE *file = fopen(path, "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, start, strlen(start)) == 0;
	if (file)
		fclose(file);
	return found;
}

static bool maps_have(const char *name)
{
	char line[512];
	bool found = false;
	FILE *file = fopen("/proc/self/maps", "r");

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, name) && strstr(line, " rw-s 00000000 00:01 ");
	if (file)
		fclose(file);
	return found;
}

static void test_proc(void)
{
	long id = get(KEY, 5 * PAGE, IPC_CREAT | 0640);
	struct shminfo limits;
	struct shm_info info;
	struct shmid_ds state;
	char line[256];
	char *at = attach(id, NULL, 0);

	is_true(control(0, IPC_INFO, (struct shmid_ds *)&limits) >= 0, 0, "IPC_INFO");
	is((long)limits.shmmin, 1, "SHMMIN");
	is((long)limits.shmmni, 4096, "SHMMNI");
	is((long)limits.shmmax, -(1L << 24) - 1, "SHMMAX");
	is_true(control(0, SHM_INFO, (struct shmid_ds *)&info) >= (id & 0x7fff), 0, "SHM_INFO tells the highest index");
	is_true(info.used_ids >= 1 && info.shm_tot >= 5, info.used_ids, "and how much there is");
	is(control(id & 0x7fff, SHM_STAT, &state), id, "SHM_STAT goes by the index");
	is((long)state.shm_segsz, 5 * PAGE, "and tells the segment");
	at[0] = at[PAGE] = 1;
	is_true(has_line("/proc/sysvipc/shm", "       key      shmid perms                  size  cpid  lpid nattch   "
					      "uid   gid  cuid  cgid      atime      dtime      ctime"
					      "                   rss                  swap"),
		0, "the titles of /proc/sysvipc/shm");
	snprintf(line, sizeof(line), "%10d %10ld   640 %21lu %5u %5u  %5u %5u %5u %5u %5u ", KEY, id, 5 * PAGE,
		 (unsigned)getpid(), (unsigned)getpid(), 1, geteuid(), getegid(), geteuid(), getegid());
	is_true(has_line("/proc/sysvipc/shm", line), 0, "a segment's line");
	is_true(has_line("/proc/sys/kernel/shmmni", "4096\n"), 0, "/proc/sys/kernel/shmmni");
	is_true(has_line("/proc/sys/kernel/shmall", "18446744073692774399\n"), 0, "/proc/sys/kernel/shmall");
	is_true(maps_have("/SYSV4b455931 (deleted)"), 0, "its line in /proc/self/maps");
	sys(SYS_shmdt, at);
	control(id, IPC_RMID, NULL);
}

/* Write to a file of /proc/sys. Returns 0 or an error. */
static long set(const char *path, const char *text)
{
	int fd = (int)sys(SYS_open, path, O_WRONLY);
	long result = fd < 0 ? fd : sys(SYS_write, fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return result < 0 ? result : 0;
}

static int make_one(void *argument)
{
	*(long *)argument = get(IPC_PRIVATE, PAGE, 0600);
	return 0;
}

static void test_limits(void)
{
	long *made = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), id;
	struct shmid_ds state;

	if (geteuid() != 0)
		return;
	is(set("/proc/sys/kernel/shmmax", "8192\n"), 0, "shmmax is set");
	is(get(IPC_PRIVATE, 8193, 0600), -EINVAL, "and bounds a segment");
	is(set("/proc/sys/kernel/shmmax", "18446744073692774399\n"), 0, "shmmax is set again");
	is(set("/proc/sys/kernel/shmmni", "0\n"), 0, "shmmni is set");
	is(get(IPC_PRIVATE, 1, 0600), -ENOSPC, "and bounds their number");
	is(set("/proc/sys/kernel/shmmni", "32769\n"), -EINVAL, "shmmni has a bound, too");
	set("/proc/sys/kernel/shmmni", "4096\n");
	is(set("/proc/sys/kernel/shmall", "0\n"), 0, "shmall is set");
	is(get(IPC_PRIVATE, 1, 0600), -ENOSPC, "and bounds their pages");
	set("/proc/sys/kernel/shmall", "18446744073692774399\n");
	in_child(make_one, made);
	is(attached(*made), 0, "a segment outlives who has made it");
	is(set("/proc/sys/kernel/shm_rmid_forced", "1\n"), 0, "shm_rmid_forced");
	is(attached(*made), -EINVAL, "removes what nobody has made or attached");
	in_child(make_one, made);
	is(attached(*made), -EINVAL, "and what was made by a task that ends");
	id = get(IPC_PRIVATE, PAGE, 0600);
	is(attached(id), 0, "not what was made by this one");
	sys(SYS_shmdt, attach(id, NULL, 0));
	is(control(id, IPC_STAT, &state), -EINVAL, "until it is detached");
	is(set("/proc/sys/kernel/shm_rmid_forced", "0\n"), 0, "shm_rmid_forced is off again");
	munmap(made, PAGE);
}

/* Make and remove a segment of many pages, so that the runner would see a leak of its frames. */
static void test_many_pages(void)
{
	const size_t size = 1024 * PAGE;
	char *at;
	long id;

	for (int round = 0; round < 4; round++) {
		id = get(IPC_PRIVATE, size, 0600);
		at = attach(id, NULL, 0);
		for (size_t i = 0; i < size; i += PAGE)
			at[i] = (char)round;
		sys(SYS_shmdt, at);
		is(control(id, IPC_RMID, NULL), 0, "a large segment is removed");
	}
	id = get(IPC_PRIVATE, size, 0600);
	at = attach(id, NULL, 0);
	memset(at, 1, size);
	control(id, IPC_RMID, NULL);
	is(sys(SYS_madvise, at, size, MADV_REMOVE), 0, "MADV_REMOVE");
	is(at[5 * PAGE], 0, "makes a hole");
	sys(SYS_shmdt, at);
}

int main(void)
{
	sys(SYS_mkdir, "/proc", 0755);
	sys(SYS_mount, "proc", "/proc", "proc", 0, NULL);
	test_get();
	test_attach();
	test_places();
	test_removal();
	test_permissions();
	test_proc();
	test_limits();
	test_many_pages();
	return finish();
}
