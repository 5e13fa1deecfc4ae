/*
 * Tests inotify: what each call tells the watchers of a file and of its directory, and the rules of watches and of
 * reads.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIR "/tmp/watches"
#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2 /* a flag of Linux that not every C library names */
#endif

static const struct {
	uint32_t bit;
	const char *name;
} bits[] = {
	{ IN_ACCESS, "ACCESS" },       { IN_MODIFY, "MODIFY" },        { IN_ATTRIB, "ATTRIB" },
	{ IN_CLOSE_WRITE, "WRITTEN" }, { IN_CLOSE_NOWRITE, "CLOSED" }, { IN_OPEN, "OPEN" },
	{ IN_MOVED_FROM, "FROM" },     { IN_MOVED_TO, "TO" },          { IN_CREATE, "CREATE" },
	{ IN_DELETE, "DELETE" },       { IN_DELETE_SELF, "GONE" },     { IN_MOVE_SELF, "MOVED" },
	{ IN_UNMOUNT, "UNMOUNT" },     { IN_Q_OVERFLOW, "OVERFLOW" },  { IN_IGNORED, "IGNORED" },
	{ IN_ISDIR, "DIR" },
};

static uint32_t cookies[2]; /* the cookies of the last events with one that told() has seen */

static size_t add_words(char *text, size_t used, size_t size, const struct inotify_event *event)
{
	used += (size_t)snprintf(text + used, size - used, "%s%d", used ? " " : "", event->wd);
	for (size_t i = 0; i < COUNT(bits); i++)
		if (event->mask & bits[i].bit)
			used += (size_t)snprintf(text + used, size - used, ":%s", bits[i].name);
	if (event->len)
		used += (size_t)snprintf(text + used, size - used, "=%s", event->name);
	if (event->cookie) {
		cookies[0] = cookies[1];
		cookies[1] = event->cookie;
	}
	return used;
}

/* Read all events that there are. Returns them as words WATCH:BITS=NAME; "" for none. */
static const char *told(int fd)
{
	static char text[2048];
	char buffer[4096] __attribute__((aligned(8)));
	size_t used = 0;
	long bytes;

	text[0] = '\0';
	while ((bytes = sys(SYS_read, fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + bytes;) {
			const struct inotify_event *event = (const void *)at;

			used = add_words(text, used, sizeof(text), event);
			at += sizeof(*event) + event->len;
		}
	return text;
}

static int start(void)
{
	return (int)sys(SYS_inotify_init1, IN_NONBLOCK | IN_CLOEXEC);
}

static long add(int fd, const char *path, uint32_t mask)
{
	return sys(SYS_inotify_add_watch, fd, path, mask);
}

static void make(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		bail("a file for the test", errno);
	close(fd);
}

static void test_errors(void)
{
	int fd = start(), other = open("/dev/null", O_RDONLY);

	is_true(fd >= 0, fd, "inotify_init1");
	is(fcntl(fd, F_GETFL), O_NONBLOCK, "opens for reading");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "and with IN_CLOEXEC");
	is(sys(SYS_inotify_init1, 1), -EINVAL, "an unknown flag");
	is(add(fd, DIR, 0), -EINVAL, "a mask of nothing");
	is(add(fd, DIR, 0x1000), -EINVAL, "a bit that is none");
	is(add(-1, DIR, IN_OPEN), -EBADF, "no descriptor");
	is(add(-1, DIR, 0), -EINVAL, "no descriptor and a bad mask");
	is(add(other, DIR, IN_OPEN), -EINVAL, "another file's descriptor");
	is(add(fd, DIR, IN_OPEN | IN_MASK_ADD | IN_MASK_CREATE), -EINVAL, "IN_MASK_ADD with IN_MASK_CREATE");
	is(add(fd, DIR "/none", IN_OPEN), -ENOENT, "a path to nothing");
	is(add(fd, (char *)-4096L, IN_OPEN), -EFAULT, "a path from nowhere");
	is(add(fd, DIR "/a", IN_OPEN | IN_ONLYDIR), -ENOTDIR, "IN_ONLYDIR with a file");
	is(sys(SYS_inotify_rm_watch, fd, 1), -EINVAL, "a watch that is not there");
	is(sys(SYS_inotify_rm_watch, other, 1), -EINVAL, "in another file");
	is(sys(SYS_inotify_rm_watch, -1, 1), -EBADF, "in none");
	is(sys(SYS_write, fd, "", 1), -EBADF, "cannot be written");
	is(sys(SYS_lseek, fd, 7, SEEK_SET), 0, "and has no position to move");
	close(other);
	close(fd);
}

/* Check changes by calls other than write. */
static void test_changes(void)
{
	int fd = start(), file = open(DIR "/a", O_RDWR), ends[2];

	is(add(fd, DIR "/a", IN_MODIFY), 1, "a watch");
	is(pipe(ends) == 0 && write(ends[1], "xy", 2) == 2, 1, "bytes in a pipe");
	is(sys(SYS_splice, ends[0], NULL, file, NULL, 2, 0), 2, "splice to the file");
	is_text(told(fd), "1:MODIFY", "is told");
	is(sys(SYS_fallocate, file, 0, 0, 8), 0, "fallocate");
	is_text(told(fd), "1:MODIFY", "is told");
	is(ftruncate(file, 0), 0, "ftruncate");
	is_text(told(fd), "1:MODIFY", "is told");
	close(ends[0]);
	close(ends[1]);
	close(file);
	close(fd);
}

static void test_file(void)
{
	int fd = start(), file;
	char byte;

	is(add(fd, DIR "/a", IN_ALL_EVENTS), 1, "the first watch is 1");
	file = open(DIR "/a", O_RDWR);
	is_text(told(fd), "1:OPEN", "open");
	is(read(file, &byte, 1), 1, "a read");
	is_text(told(fd), "1:ACCESS", "is told");
	is(read(file, &byte, 0), 0, "one of nothing");
	is_text(told(fd), "", "is not");
	is(write(file, "x", 1), 1, "a write");
	is_text(told(fd), "1:MODIFY", "is told");
	is(ftruncate(file, 4), 0, "ftruncate");
	is_text(told(fd), "1:MODIFY", "is told");
	is(fchmod(file, 0600), 0, "fchmod");
	is_text(told(fd), "1:ATTRIB", "is told");
	is(fchown(file, 0, (gid_t)-1), 0, "fchown");
	is_text(told(fd), "1:ATTRIB", "is told");
	close(file);
	is_text(told(fd), "1:WRITTEN", "close after writing");
	close(open(DIR "/a", O_RDONLY));
	is_text(told(fd), "1:OPEN 1:CLOSED", "open and close for reading");
	close(open(DIR "/a", O_WRONLY | O_TRUNC));
	is_text(told(fd), "1:MODIFY 1:OPEN 1:WRITTEN", "O_TRUNC");
	close(open(DIR "/a", O_WRONLY | O_TRUNC));
	is_text(told(fd), "1:MODIFY 1:OPEN 1:WRITTEN", "O_TRUNC of an empty file");
	close(open(DIR "/a", O_PATH));
	is_text(told(fd), "", "O_PATH opens nothing");
	is(truncate(DIR "/a", 0), 0, "truncate");
	is_text(told(fd), "1:MODIFY", "is told");
	close(fd);
}

static void test_times(void)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	int fd = start();

	add(fd, DIR "/a", IN_ALL_EVENTS);
	is(utimensat(AT_FDCWD, DIR "/a", NULL, 0), 0, "both times");
	is_text(told(fd), "1:ATTRIB", "are an attribute");
	times[0].tv_nsec = UTIME_OMIT;
	is(utimensat(AT_FDCWD, DIR "/a", times, 0), 0, "the time of the change alone");
	is_text(told(fd), "1:MODIFY", "looks like a change");
	times[1].tv_nsec = UTIME_OMIT;
	times[0].tv_nsec = UTIME_NOW;
	is(utimensat(AT_FDCWD, DIR "/a", times, 0), 0, "the time of access alone");
	is_text(told(fd), "1:ACCESS", "looks like an access");
	close(fd);
}

static void test_directory(void)
{
	int fd = start(), dir;
	char entries[512];

	is(add(fd, DIR, IN_ALL_EVENTS), 1, "a directory");
	make(DIR "/b", "text");
	is_text(told(fd), "1:CREATE=b 1:OPEN=b 1:MODIFY=b 1:WRITTEN=b", "a file is made in it");
	is(mkdir(DIR "/d", 0700), 0, "mkdir");
	is_text(told(fd), "1:CREATE:DIR=d", "is told");
	is(symlink("b", DIR "/l"), 0, "symlink");
	is(mkfifo(DIR "/p", 0600), 0, "mkfifo");
	is(link(DIR "/b", DIR "/h"), 0, "link");
	is_text(told(fd), "1:CREATE=l 1:CREATE=p 1:CREATE=h", "are told");
	is(chmod(DIR "/d", 0711), 0, "chmod of a directory in it");
	is_text(told(fd), "1:ATTRIB:DIR=d", "is told");
	is(unlink(DIR "/l"), 0, "unlink");
	is(unlink(DIR "/p"), 0, "of these");
	is(unlink(DIR "/h"), 0, "three");
	is_text(told(fd), "1:DELETE=l 1:DELETE=p 1:DELETE=h", "is told");
	dir = open(DIR, O_RDONLY | O_DIRECTORY);
	sys(SYS_getdents64, dir, entries, sizeof(entries));
	close(dir);
	is_text(told(fd), "1:OPEN:DIR 1:ACCESS:DIR 1:CLOSED:DIR", "the directory is listed");
	is(rmdir(DIR "/d"), 0, "rmdir");
	is_text(told(fd), "1:DELETE:DIR=d", "is told");
	is(unlink(DIR "/b"), 0, "the file goes");
	told(fd);
	close(fd);
}

static void test_moves(void)
{
	int fd = start();

	make(DIR "/x", "x");
	make(DIR "/y", "y");
	mkdir(DIR "/d", 0700);
	add(fd, DIR, IN_MOVE | IN_DELETE | IN_CREATE);
	add(fd, DIR "/d", IN_MOVE | IN_MOVE_SELF);
	add(fd, DIR "/x", IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
	add(fd, DIR "/y", IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
	is(rename(DIR "/x", DIR "/z"), 0, "a rename");
	is_text(told(fd), "1:FROM=x 1:TO=z 3:MOVED", "is told");
	is_true(cookies[0] && cookies[0] == cookies[1], (long)cookies[1], "with one cookie");
	is(rename(DIR "/z", DIR "/d/x"), 0, "to another directory");
	is_text(told(fd), "1:FROM=z 2:TO=x 3:MOVED", "is told");
	is(rename(DIR "/d/x", DIR "/y"), 0, "over another file");
	is_text(told(fd), "2:FROM=x 1:TO=y 4:ATTRIB 3:MOVED 4:GONE 4:IGNORED", "is that one's end");
	is(rename(DIR "/d", DIR "/e"), 0, "of a directory");
	is_text(told(fd), "1:FROM:DIR=d 1:TO:DIR=e 2:MOVED", "is told");
	is(sys(SYS_renameat2, AT_FDCWD, DIR "/y", AT_FDCWD, DIR "/e", RENAME_EXCHANGE), 0, "an exchange");
	is_text(told(fd), "1:FROM=y 1:TO=e 3:MOVED 1:FROM:DIR=e 1:TO:DIR=y 2:MOVED", "is told twice");
	is(rename(DIR "/e", DIR "/e"), 0, "to itself");
	is_text(told(fd), "", "is nothing");
	unlink(DIR "/e");
	rmdir(DIR "/y");
	close(fd);
}

static void test_ends(void)
{
	int fd = start(), file;

	make(DIR "/f", "f");
	mkdir(DIR "/d", 0700);
	add(fd, DIR, IN_DELETE);
	add(fd, DIR "/f", IN_ALL_EVENTS);
	add(fd, DIR "/d", IN_DELETE_SELF);
	unlink(DIR "/f");
	is_text(told(fd), "2:ATTRIB 2:GONE 2:IGNORED 1:DELETE=f", "a file that nobody uses ends with its name");
	rmdir(DIR "/d");
	is_text(told(fd), "3:GONE 3:IGNORED 1:DELETE:DIR=d", "so does a directory");
	make(DIR "/f", "f");
	is(add(fd, DIR "/f", IN_ALL_EVENTS), 4, "numbers are not used again");
	file = open(DIR "/f", O_RDONLY);
	unlink(DIR "/f");
	is_text(told(fd), "4:OPEN 4:ATTRIB 1:DELETE=f", "an open file outlives its name");
	close(file);
	is_text(told(fd), "4:CLOSED 4:GONE 4:IGNORED", "until it is closed");
	is(sys(SYS_inotify_rm_watch, fd, 4), -EINVAL, "with which the watch is gone");
	is(sys(SYS_inotify_rm_watch, fd, 1), 0, "inotify_rm_watch");
	is_text(told(fd), "1:IGNORED", "is told");
	make(DIR "/f", "f");
	unlink(DIR "/f");
	is_text(told(fd), "", "and nothing after it");
	close(fd);
}

static void test_masks(void)
{
	int fd = start(), file;

	make(DIR "/f", "f");
	is(add(fd, DIR "/f", IN_OPEN), 1, "a watch of opens");
	is(add(fd, DIR "/f", IN_CLOSE), 1, "the same of closes");
	close(open(DIR "/f", O_RDONLY));
	is_text(told(fd), "1:CLOSED", "has the second mask");
	is(add(fd, DIR "/f", IN_OPEN | IN_MASK_ADD), 1, "or both");
	close(open(DIR "/f", O_RDONLY));
	is_text(told(fd), "1:OPEN 1:CLOSED", "with IN_MASK_ADD");
	is(add(fd, DIR "/f", IN_OPEN | IN_MASK_CREATE), -EEXIST, "IN_MASK_CREATE of the same file");
	is(add(fd, DIR "/f", IN_OPEN | IN_ONESHOT), 1, "IN_ONESHOT");
	close(open(DIR "/f", O_RDONLY));
	is_text(told(fd), "1:OPEN 1:IGNORED", "is for one event");
	symlink("f", DIR "/l");
	is(add(fd, DIR "/l", IN_ATTRIB | IN_DONT_FOLLOW), 2, "IN_DONT_FOLLOW");
	is(add(fd, DIR "/l", IN_ATTRIB), 3, "a link is another file than its target");
	lchown(DIR "/l", 0, 0);
	is_text(told(fd), "2:ATTRIB", "and told of alone");
	unlink(DIR "/l");
	told(fd);
	is(add(fd, DIR, IN_ALL_EVENTS | IN_EXCL_UNLINK), 4, "IN_EXCL_UNLINK");
	file = open(DIR "/f", O_RDWR);
	unlink(DIR "/f");
	told(fd);
	write(file, "x", 1);
	close(file);
	is_text(told(fd), "3:IGNORED", "leaves out files without a name");
	make(DIR "/f", "f");
	add(fd, DIR, IN_ALL_EVENTS);
	file = open(DIR "/f", O_RDWR);
	unlink(DIR "/f");
	told(fd);
	write(file, "x", 1);
	close(file);
	is_text(told(fd), "4:MODIFY=f 4:WRITTEN=f", "which are told of without it");
	close(fd);
}

static void test_both(void)
{
	int fd = start(), other = start();

	make(DIR "/f", "f");
	add(fd, DIR "/f", IN_OPEN);
	add(fd, DIR, IN_OPEN);
	add(other, DIR "/f", IN_CLOSE);
	close(open(DIR "/f", O_RDONLY));
	is_text(told(fd), "2:OPEN=f 1:OPEN", "the directory's watch is told before the file's");
	is_text(told(other), "1:CLOSED", "another instance has its own");
	unlink(DIR "/f");
	is_text(told(other), "1:IGNORED", "IN_IGNORED needs no bit in the mask");
	close(other);
	close(fd);
}

static void test_reads(void)
{
	char buffer[256] __attribute__((aligned(8)));
	const struct inotify_event *event = (const void *)buffer;
	int fd = start(), bytes;

	add(fd, DIR, IN_OPEN | IN_CREATE);
	is(sys(SYS_read, fd, buffer, 1), -EAGAIN, "nothing is there, whatever the size");
	make(DIR "/seventeen-letters", "");
	is(ioctl(fd, FIONREAD, &bytes), 0, "FIONREAD");
	is(bytes, 2 * (16 + 32), "counts what a read gets");
	is(sys(SYS_read, fd, buffer, 47), -EINVAL, "one byte too few");
	is(sys(SYS_read, fd, (void *)-4096L, 96), -EFAULT, "to nowhere");
	is(sys(SYS_read, fd, buffer, 95) % 48, 0, "one byte too few for two gets one");
	is(event->len, 32, "whose name is padded to 16 bytes");
	told(fd);
	close(open(DIR "/seventeen-letters", O_RDONLY));
	close(open(DIR "/seventeen-letters", O_RDONLY));
	is_text(told(fd), "1:OPEN=seventeen-letters", "equal events one after the other are one");
	make(DIR "/fifteen-letters", "");
	is(sys(SYS_read, fd, buffer, sizeof(buffer)), 2 * (16 + 16), "a name of 15 letters takes 16 bytes");
	unlink(DIR "/seventeen-letters");
	unlink(DIR "/fifteen-letters");
	close(fd);
}

static int open_later(void *unused)
{
	(void)unused;
	usleep(20000);
	close(open(DIR "/a", O_RDONLY));
	return 0;
}

static void test_waits(void)
{
	int fd = (int)sys(SYS_inotify_init), epoll = epoll_create1(0), status;
	struct epoll_event event = { .events = EPOLLIN };
	char buffer[64] __attribute__((aligned(8)));
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLOUT };
	pid_t child;

	add(fd, DIR "/a", IN_OPEN);
	is(poll(&entry, 1, 0), 0, "poll sees nothing");
	is(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0, "epoll takes it");
	child = fork();
	if (!child)
		_exit(open_later(NULL));
	is(epoll_wait(epoll, &event, 1, 10000), 1, "and wakes");
	is(poll(&entry, 1, 0), 1, "poll sees it as well");
	is(entry.revents, POLLIN, "for reading only");
	is(sys(SYS_read, fd, buffer, sizeof(buffer)), 16, "which gets the event");
	waitpid(child, &status, 0);
	child = fork();
	if (!child)
		_exit(open_later(NULL));
	is(sys(SYS_read, fd, buffer, sizeof(buffer)), 16, "a read waits");
	waitpid(child, &status, 0);
	close(epoll);
	close(fd);
}

static long read_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	if (read(fd, text, sizeof(text) - 1) < 1)
		return -1;
	close(fd);
	return atol(text);
}

static void write_number(const char *path, long number)
{
	int fd = open(path, O_WRONLY);

	dprintf(fd, "%ld\n", number);
	close(fd);
}

/* Check the line in fdinfo of the only watch of `fd`, that of DIR/a. */
static void check_info(int fd)
{
	char path[64], text[512] = "", expected[128];
	struct stat stat_of;
	int file;

	stat(DIR "/a", &stat_of);
	snprintf(path, sizeof(path), "/tmp/proc/self/fdinfo/%d", fd);
	snprintf(expected, sizeof(expected), "inotify wd:1 ino:%lx sdev:%lx mask:4000020 ignored_mask:0 ",
		 (unsigned long)stat_of.st_ino, (unsigned long)major(stat_of.st_dev) << 20 | minor(stat_of.st_dev));
	file = open(path, O_RDONLY);
	is_true(read(file, text, sizeof(text) - 1) > 0, file, "fdinfo");
	close(file);
	is_true(strstr(text, expected) != NULL, 0, "shows the watch");
}

#define LIMITS "/tmp/proc/sys/fs/inotify/"

static void test_limits(void)
{
	long events, instances, watches;
	int fd;

	mkdir("/tmp/proc", 0700);
	is(mount("proc", "/tmp/proc", "proc", 0, NULL), 0, "/proc");
	events = read_number(LIMITS "max_queued_events");
	instances = read_number(LIMITS "max_user_instances");
	watches = read_number(LIMITS "max_user_watches");
	is(events, 16384, "max_queued_events");
	is(instances, 128, "max_user_instances");
	is_true(watches >= 8192, watches, "max_user_watches");
	write_number(LIMITS "max_queued_events", 3);
	write_number(LIMITS "max_user_watches", 1);
	write_number(LIMITS "max_user_instances", 1);
	fd = start();
	is(start(), -EMFILE, "one instance too many");
	is(add(fd, DIR, IN_ALL_EVENTS), 1, "the last watch");
	is(add(fd, DIR "/a", IN_ALL_EVENTS), -ENOSPC, "and one too many");
	mkdir(DIR "/1", 0700);
	mkdir(DIR "/2", 0700);
	mkdir(DIR "/3", 0700);
	rmdir(DIR "/1");
	rmdir(DIR "/2");
	rmdir(DIR "/3");
	is_text(told(fd), "1:CREATE:DIR=1 1:CREATE:DIR=2 1:CREATE:DIR=3 -1:OVERFLOW",
		"events beyond the limit are lost");
	close(fd);
	write_number(LIMITS "max_queued_events", events);
	write_number(LIMITS "max_user_instances", instances);
	write_number(LIMITS "max_user_watches", watches);
	fd = start();
	add(fd, DIR "/a", IN_OPEN | IN_EXCL_UNLINK);
	check_info(fd);
	close(fd);
	fd = start();
	is_true(add(fd, "/tmp/proc/self/status", IN_OPEN) == 1, fd, "a file of /proc");
	close(open("/tmp/proc/self/status", O_RDONLY));
	is_text(told(fd), "1:OPEN", "is watched, too");
	close(fd);
	is(umount("/tmp/proc"), 0, "and let go of");
	rmdir("/tmp/proc");
}

static void test_unmount(void)
{
	int fd = start();

	is(mount("none", DIR, "tmpfs", 0, NULL), 0, "a tmpfs");
	make(DIR "/f", "f");
	add(fd, DIR, IN_OPEN);
	add(fd, DIR "/f", IN_OPEN);
	is(umount(DIR), 0, "watches do not keep it");
	is_true(strstr(told(fd), "2:UNMOUNT 2:IGNORED") != NULL, 0, "they hear of the end");
	is(sys(SYS_inotify_rm_watch, fd, 1), -EINVAL, "and end with it");
	close(fd);
}

/*
 * Watch 200 files, of which one is used: the other watches must tell nothing. Then end the instance with all watches.
 */
static void test_many(void)
{
	int fd = start();
	char path[64];

	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), DIR "/n%d", i);
		make(path, "n");
		if (add(fd, path, IN_OPEN) != i + 1)
			bail("200 watches", i);
	}
	close(open(DIR "/n117", O_RDONLY));
	is_text(told(fd), "118:OPEN", "one of many");
	for (int i = 0; i < 200; i += 2)
		sys(SYS_inotify_rm_watch, fd, i + 1);
	told(fd);
	close(open(DIR "/n116", O_RDONLY));
	close(open(DIR "/n117", O_RDONLY));
	is_text(told(fd), "118:OPEN", "half of them are removed");
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), DIR "/n%d", i);
		unlink(path);
	}
	close(fd);
}

int main(void)
{
	umask(022);
	if (mkdir(DIR, 0755))
		bail("mkdir", errno);
	make(DIR "/a", "text");
	test_errors();
	test_file();
	test_changes();
	test_times();
	test_directory();
	test_moves();
	test_ends();
	test_masks();
	test_both();
	test_reads();
	test_waits();
	test_limits();
	test_unmount();
	test_many();
	unlink(DIR "/a");
	rmdir(DIR);
	return finish();
}
