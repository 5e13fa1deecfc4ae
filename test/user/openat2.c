/*
 * Tests openat2: what it checks of struct open_how, and how it restricts the walk along a path. Runs as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIR "/tmp/openat2"

#define OPENAT2 437

#define NO_XDEV       1
#define NO_MAGICLINKS 2
#define NO_SYMLINKS   4
#define BENEATH       8
#define IN_ROOT       16
#define CACHED        32

struct how {
	uint64_t flags, mode, resolve;
	uint64_t more[4];
};

static long dir;

/* Open a path that starts in `dir`, and close the file. Returns 0 or the error. */
static long open_with(const char *path, uint64_t flags, uint64_t resolve)
{
	struct how how = { .flags = flags, .resolve = resolve };
	long fd = sys(OPENAT2, dir, path, &how, 24);

	if (fd < 0)
		return fd;
	sys(SYS_close, fd);
	return 0;
}

static long with(uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct how how = { .flags = flags, .mode = mode, .resolve = resolve };
	long fd = sys(OPENAT2, dir, "new", &how, 24);

	if (fd >= 0)
		sys(SYS_close, fd);
	return fd < 0 ? fd : 0;
}

static void test_how(void)
{
	struct how how = { .flags = O_RDONLY };
	long fd;

	is(sys(OPENAT2, dir, "file", &how, 23), -EINVAL, "a structure that is too short");
	is(sys(OPENAT2, dir, "file", &how, 0), -EINVAL, "of no size");
	is(sys(OPENAT2, dir, "file", 1, 24), -EFAULT, "at a bad address");
	is(sys(OPENAT2, dir, 1, &how, 24), -EFAULT, "a path at a bad address");
	fd = sys(OPENAT2, dir, "file", &how, sizeof(how));
	is_true(fd >= 0, fd, "a longer one, with zeros");
	sys(SYS_close, fd);
	how.more[3] = 1;
	is(sys(OPENAT2, dir, "file", &how, sizeof(how)), -E2BIG, "with what is not known");
	is(sys(OPENAT2, dir, "file", &how, 24), fd, "behind the end nothing counts");
	sys(SYS_close, fd);
	is(sys(OPENAT2, -1, "file", &how, 24), -EBADF, "a bad descriptor");
	is(with(1UL << 40, 0, 0), -EINVAL, "unknown flags");
	is(with(1U << 27, 0, 0), -EINVAL, "which open(2) ignores");
	is(with(O_RDONLY, 0, 64), -EINVAL, "unknown restrictions");
	is(with(O_RDONLY, 0, BENEATH | IN_ROOT), -EINVAL, "two that exclude each other");
	is(with(O_RDONLY, 0600, 0), -EINVAL, "a mode without O_CREAT");
	is(with(O_CREAT | O_WRONLY, 010000, 0), -EINVAL, "a mode with other bits");
	is(with(O_PATH | O_WRONLY, 0, 0), -EINVAL, "O_PATH with what it does not go with");
	is(with(O_TMPFILE, 0, 0), -EINVAL, "O_TMPFILE without the right to write");
	is(with(O_TMPFILE & ~O_DIRECTORY, 0, 0), -EINVAL, "and alone");
	is(with(O_CREAT | O_WRONLY, 0600, CACHED), -EAGAIN, "a new file is not cached");
	is(with(O_CREAT | O_WRONLY, 0600, 0), 0, "but made");
	is(open_with("new", O_RDONLY, CACHED), 0, "then it is");
	is(sys(SYS_unlink, DIR "/new"), 0, "and goes");
	how = (struct how){ .flags = O_TMPFILE | O_RDWR, .mode = 0600, .resolve = BENEATH };
	fd = sys(OPENAT2, dir, "d", &how, 24);
	is_true(fd >= 0, fd, "a file without a name");
	sys(SYS_close, fd);
	is(sys(OPENAT2, dir, "..", &how, 24), -EXDEV, "but not outside");
}

static void test_links(void)
{
	is(open_with("link", O_RDONLY, 0), 0, "a symbolic link is followed");
	is(open_with("link", O_RDONLY, NO_SYMLINKS), -ELOOP, "or not");
	is(open_with("dirlink/inner", O_RDONLY, NO_SYMLINKS), -ELOOP, "on the way as well");
	is(open_with("link", O_PATH | O_NOFOLLOW, NO_SYMLINKS), 0, "it can be opened itself");
	is(open_with("link", O_RDONLY, NO_MAGICLINKS), 0, "it is none of /proc's");
	is(open_with("/proc/self/fd/0", O_PATH, 0), 0, "one of those is followed");
	is(open_with("/proc/self/fd/0", O_PATH, NO_MAGICLINKS), -ELOOP, "or not");
	is(open_with("/proc/self/fd/0", O_PATH, NO_SYMLINKS), -ELOOP, "being a link");
	is(open_with("/proc/self/fd/0", O_PATH | O_NOFOLLOW, NO_MAGICLINKS), 0, "it can be opened itself");
	is(open_with("/proc/self/root/tmp", O_PATH, NO_MAGICLINKS), -ELOOP, "on the way as well");
	is(open_with("/proc/self/stat", O_PATH, NO_MAGICLINKS), 0, "/proc/self is another kind of link");
}

static void test_beneath(void)
{
	is(open_with("d/inner", O_RDONLY, BENEATH), 0, "what is below");
	is(open_with("d/../file", O_RDONLY, BENEATH), 0, "by way of ..");
	is(open_with("..", O_RDONLY, BENEATH), -EXDEV, "what is above");
	is(open_with("d/../../openat2/file", O_RDONLY, BENEATH), -EXDEV, "even if the way leads back");
	is(open_with(DIR "/file", O_RDONLY, BENEATH), -EXDEV, "an absolute path");
	is(open_with("link", O_RDONLY, BENEATH), 0, "a relative link");
	is(open_with("absolute", O_RDONLY, BENEATH), -EXDEV, "an absolute one");
	is(open_with("up", O_RDONLY, BENEATH), -EXDEV, "one that leads above");
	is(open_with("none", O_RDONLY, BENEATH), -ENOENT, "what is not there");
	is(open_with("proc/self/fd/0", O_PATH, BENEATH), -EXDEV, "a link of /proc's");
}

static void test_in_root(void)
{
	is(open_with("d/inner", O_RDONLY, IN_ROOT), 0, "what is below");
	is(open_with("/d/inner", O_RDONLY, IN_ROOT), 0, "by an absolute path");
	is(open_with("../../d/inner", O_RDONLY, IN_ROOT), 0, "by way of ..");
	is(open_with(DIR "/file", O_RDONLY, IN_ROOT), -ENOENT, "what is outside has no path");
	is(open_with("absolute", O_RDONLY, IN_ROOT), -ENOENT, "nor by a link");
	is(open_with("rooted", O_RDONLY, IN_ROOT), 0, "an absolute link leads to what is below");
	is(open_with("rooted", O_RDONLY, 0), -ENOENT, "otherwise elsewhere");
	is(open_with("up", O_RDONLY | O_DIRECTORY, IN_ROOT), 0, "one that leads above to the top");
	is(open_with("proc/self/fd/0", O_PATH, IN_ROOT), -EXDEV, "a link of /proc's");
	is(open_with("/", O_RDONLY | O_DIRECTORY, IN_ROOT), 0, "the root itself");
}

static void test_no_xdev(void)
{
	is(open_with("d/inner", O_RDONLY, NO_XDEV), 0, "in the same mount");
	is(open_with("mount", O_RDONLY, NO_XDEV), -EXDEV, "in another");
	is(open_with("mount/there", O_RDONLY, NO_XDEV), -EXDEV, "and below");
	is(open_with("mount/there", O_RDONLY, 0), 0, "otherwise it is there");
	is(open_with("bound", O_RDONLY, NO_XDEV), -EXDEV, "a bind mount is another");
	is(open_with("..", O_RDONLY, NO_XDEV), -EXDEV, "as is what the own lies on");
	is(open_with("/", O_RDONLY, NO_XDEV), 0, "an absolute path may start anywhere");
	is(open_with(DIR "/file", O_RDONLY, NO_XDEV), -EXDEV, "but not go on elsewhere");
	is(open_with("absolute", O_RDONLY, NO_XDEV), -EXDEV, "an absolute link leads to another");
	is(open_with("link", O_RDONLY, NO_XDEV), 0, "a relative one need not");
}

static void make(const char *path)
{
	sys(SYS_close, sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0600));
}

int main(void)
{
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/tmp", 01777);
	mkdir(DIR, 0755);
	if (mount("none", DIR, "tmpfs", 0, NULL))
		bail("a tmpfs", errno);
	mkdir(DIR "/d", 0755);
	mkdir(DIR "/mount", 0755);
	mkdir(DIR "/bound", 0755);
	mkdir(DIR "/proc", 0755);
	make(DIR "/file");
	make(DIR "/d/inner");
	symlink("file", DIR "/link");
	symlink("d", DIR "/dirlink");
	symlink(DIR "/file", DIR "/absolute");
	symlink("/d/inner", DIR "/rooted");
	symlink("..", DIR "/up");
	mount("none", DIR "/mount", "tmpfs", 0, NULL);
	mount(DIR "/d", DIR "/bound", NULL, MS_BIND, NULL);
	mount("proc", DIR "/proc", "proc", 0, NULL);
	make(DIR "/mount/there");
	dir = sys(SYS_openat, AT_FDCWD, DIR, O_RDONLY | O_DIRECTORY, 0);
	test_how();
	test_links();
	test_beneath();
	test_in_root();
	test_no_xdev();
	sys(SYS_close, dir);
	is(sys(SYS_umount2, DIR, MNT_DETACH), 0, "all goes");
	rmdir(DIR);
	return finish();
}
