/*
 * Tests bind mounts and their flags, propagation, mount IDs in mountinfo, statx and fdinfo, and pivot_root. Runs as
 * root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIR  "/tmp/mounts"
#define ROOM 65536
#define MANY 500

#define MNT_ID 0x1000U /* STATX_MNT_ID */

/* The part of struct statx that is used here. */
struct statx_part {
	uint32_t mask;
	uint32_t before[35];
	uint64_t mount;
	uint64_t behind[13];
};

static char text[ROOM];

static long make(const char *path)
{
	long fd = sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY, 0600);

	sys(SYS_write, fd, path, strlen(path));
	return sys(SYS_close, fd);
}

static long do_mount(const char *from, const char *to, unsigned long flags)
{
	return sys(SYS_mount, from, to, NULL, flags, NULL);
}

static long tmpfs(const char *to)
{
	return sys(SYS_mount, "none", to, "tmpfs", 0, NULL);
}

static long there(const char *path)
{
	return sys(SYS_access, path, F_OK);
}

static void read_all(const char *path)
{
	long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0), size = 0, more;

	while ((more = sys(SYS_read, fd, text + size, ROOM - 1 - size)) > 0)
		size += more;
	text[size] = '\0';
	sys(SYS_close, fd);
}

/* A line of mountinfo. */
struct info {
	unsigned long number, parent, major, minor;
	char root[256], at[256], flags[256], rest[256];
};

/* Find the last line of /proc/self/mountinfo about a mount point: that line is the mount on top. */
static int info_of(const char *at, struct info *ret)
{
	struct info one;
	int found = 0;

	read_all("/proc/self/mountinfo");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (sscanf(line, "%lu %lu %lu:%lu %255s %255s %255s %255[^\n]", &one.number, &one.parent, &one.major,
			   &one.minor, one.root, one.at, one.flags, one.rest) != 8)
			return -1;
		if (strcmp(one.at, at) == 0) {
			*ret = one;
			found++;
		}
	}
	return found;
}

static unsigned long mount_of(const char *path)
{
	struct statx_part part = { 0 };

	sys(SYS_statx, AT_FDCWD, path, 0, MNT_ID, &part);
	return part.mask & MNT_ID ? part.mount : 0;
}

static void test_bind(void)
{
	struct stat one, two;
	char path[64] = "";

	mkdir(DIR "/a", 0755);
	mkdir(DIR "/b", 0755);
	mkdir(DIR "/a/d", 0755);
	make(DIR "/a/f");
	make(DIR "/b/below");
	is(do_mount(DIR "/none", DIR "/b", MS_BIND), -ENOENT, "a bind mount of nothing");
	is(do_mount("", DIR "/b", MS_BIND), -EINVAL, "of an empty path");
	is(do_mount(NULL, DIR "/b", MS_BIND), -EINVAL, "of none");
	is(do_mount(DIR "/a/f", DIR "/b", MS_BIND), -ENOTDIR, "of a file on a directory");
	is(do_mount(DIR "/a", DIR "/b/below", MS_BIND), -ENOTDIR, "of a directory on a file");
	is(do_mount(DIR "/a", DIR "/b", MS_BIND), 0, "of a directory");
	is(there(DIR "/b/f"), 0, "shows what is in there");
	is(there(DIR "/b/below"), -ENOENT, "and covers what was there");
	stat(DIR "/a/f", &one);
	stat(DIR "/b/f", &two);
	is_true(one.st_ino == two.st_ino && one.st_dev == two.st_dev, 0, "it is the same file");
	is(sys(SYS_mkdir, DIR "/b/new", 0755) + there(DIR "/a/new"), 0, "a change is seen in both");
	is(sys(SYS_link, DIR "/b/f", DIR "/a/g"), -EXDEV, "a link from one to the other");
	is(sys(SYS_rename, DIR "/b/f", DIR "/a/g"), -EXDEV, "and a rename");
	is(sys(SYS_rename, DIR "/b/f", DIR "/b/g"), 0, "but within one");
	is(sys(SYS_rmdir, DIR "/b"), -EBUSY, "the mount point cannot be removed");
	is(sys(SYS_chdir, DIR "/b/d"), 0, "a directory in it");
	sys(SYS_getcwd, path, sizeof(path));
	is_text(path, DIR "/b/d", "has the path by which it was reached");
	is(sys(SYS_chdir, "../.."), 0, "the way up");
	sys(SYS_getcwd, path, sizeof(path));
	is_text(path, DIR, "leads out of the mount point");
	sys(SYS_chdir, "/");
	is(sys(SYS_umount2, DIR "/a", 0), -EINVAL, "the source is no mount");
	is(sys(SYS_umount2, DIR "/b", 0), 0, "umount");
	is(there(DIR "/b/below"), 0, "what was below is there again");
	is(there(DIR "/a/g"), 0, "and what was shown stays");
}

/* Move a directory out of what the bind mount shows, while it is the working directory. */
static void test_moved(void)
{
	is(do_mount(DIR "/a", DIR "/b", MS_BIND), 0, "a bind mount");
	is(sys(SYS_mkdir, DIR "/a/d/deep", 0755), 0, "with a directory");
	is(sys(SYS_chdir, DIR "/b/d/deep"), 0, "where somebody is");
	is(sys(SYS_rename, DIR "/a/d", DIR "/moved"), 0, "is moved out of it");
	is(there("../../c"), -ENOENT, "there is no way up to where it is now");
	is(sys(SYS_chdir, ".."), -ENOENT, "not one step");
	is(sys(SYS_rename, DIR "/moved", DIR "/a/d"), 0, "when it is back");
	is(there("../../../c"), 0, "there is");
	sys(SYS_chdir, "/");
	is(sys(SYS_rmdir, DIR "/a/d/deep"), 0, "the directory goes");
	is(sys(SYS_umount2, DIR "/b", 0), 0, "umount");
}

static void test_file(void)
{
	char target[64] = "", link[64];
	long fd;

	make(DIR "/one");
	make(DIR "/two");
	is(do_mount(DIR "/one", DIR "/two", MS_BIND), 0, "a bind mount of a file");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/two", O_RDONLY, 0);
	is(sys(SYS_read, fd, text, 64), strlen(DIR "/one"), "has its content");
	is(memcmp(text, DIR "/one", strlen(DIR "/one")), 0, "all of it");
	snprintf(link, sizeof(link), "/proc/self/fd/%ld", fd);
	sys(SYS_readlink, link, target, sizeof(target) - 1);
	is_text(target, DIR "/two", "and the path of the mount point");
	is(sys(SYS_umount2, DIR "/two", 0), -EBUSY, "umount while it is open");
	sys(SYS_close, fd);
	is(sys(SYS_unlink, DIR "/two"), -EBUSY, "the mount point cannot be removed");
	is(sys(SYS_rename, DIR "/two", DIR "/three"), -EBUSY, "nor renamed");
	is(sys(SYS_rename, DIR "/one", DIR "/two"), -EBUSY, "nor replaced");
	is(sys(SYS_unlink, DIR "/one"), 0, "what is shown can be");
	is(there(DIR "/two"), 0, "and is shown still");
	is(sys(SYS_umount2, DIR "/two", 0), 0, "umount");
	sys(SYS_unlink, DIR "/two");
}

/*
 * Check that a file cannot be mapped as code by a path on a mount with noexec; `allowed` is the same file's path on a
 * mount without that flag.
 */
static void expect_no_code(const char *path, const char *allowed)
{
	long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
	long at;

	is(sys(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), -EPERM, "noexec: mmap as code");
	at = sys(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	is_true(at > 0, at, "mmap to read");
	is(sys(SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC), -EACCES, "which mprotect does not make code");
	is(sys(SYS_mprotect, at, 4096, PROT_READ | PROT_WRITE), 0, "but writable");
	sys(SYS_personality, READ_IMPLIES_EXEC);
	is(sys(SYS_mprotect, at, 4096, PROT_READ), 0, "nor does READ_IMPLIES_EXEC, which is no error");
	sys(SYS_personality, 0);
	sys(SYS_munmap, at, 4096);
	sys(SYS_close, fd);
	fd = sys(SYS_openat, AT_FDCWD, allowed, O_RDONLY, 0);
	at = sys(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	is_true(at > 0, at, "mmap of the same file as code, by the other mount");
	sys(SYS_munmap, at, 4096);
	sys(SYS_close, fd);
}

static void test_flags(void)
{
	struct statfs statfs;
	long fd;

	is(do_mount(DIR "/a", DIR "/b", MS_BIND | MS_RDONLY), 0, "a bind mount with a flag");
	is(sys(SYS_mkdir, DIR "/b/rw", 0700), 0, "ignores that");
	is(sys(SYS_rmdir, DIR "/b/rw"), 0, "altogether");
	is(do_mount(NULL, DIR "/b/d", MS_REMOUNT | MS_BIND | MS_RDONLY), -EINVAL, "flags of what is no mount");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/b/g", O_WRONLY, 0);
	is(do_mount(NULL, DIR "/b", MS_REMOUNT | MS_BIND | MS_RDONLY), -EBUSY, "read-only while a file is written");
	sys(SYS_close, fd);
	fd = sys(SYS_openat, AT_FDCWD, DIR "/a/g", O_WRONLY, 0);
	is(do_mount(NULL, DIR "/b", MS_REMOUNT | MS_BIND | MS_RDONLY), 0, "but not by way of another mount");
	sys(SYS_close, fd);
	is(sys(SYS_openat, AT_FDCWD, DIR "/b/g", O_WRONLY, 0), -EROFS, "nothing can be written");
	is(sys(SYS_openat, AT_FDCWD, DIR "/b/g", O_RDONLY | O_TRUNC, 0), -EROFS, "nor cut");
	is(sys(SYS_openat, AT_FDCWD, DIR "/b/x", O_WRONLY | O_CREAT, 0600), -EROFS, "nor made");
	is(sys(SYS_openat, AT_FDCWD, DIR "/b", O_TMPFILE | O_RDWR, 0600), -EROFS, "without a name, too");
	is(sys(SYS_mkdir, DIR "/b/x", 0700), -EROFS, "no directory either");
	is(sys(SYS_mkdir, DIR "/b/d", 0700), -EEXIST, "though one that is there is there");
	is(sys(SYS_mknod, DIR "/b/x", S_IFIFO | 0600, 0), -EROFS, "no FIFO");
	is(sys(SYS_symlink, "a", DIR "/b/x"), -EROFS, "no symbolic link");
	is(sys(SYS_link, DIR "/b/g", DIR "/b/x"), -EROFS, "no link");
	is(sys(SYS_unlink, DIR "/b/g"), -EROFS, "nothing is removed");
	is(sys(SYS_rmdir, DIR "/b/d"), -EROFS, "no directory");
	is(sys(SYS_rename, DIR "/b/g", DIR "/b/x"), -EROFS, "nothing is renamed");
	is(sys(SYS_truncate, DIR "/b/g", 0), -EROFS, "truncate");
	is(sys(SYS_chmod, DIR "/b/g", 0644), -EROFS, "chmod");
	is(sys(SYS_chown, DIR "/b/g", 1, 1), -EROFS, "chown");
	is(sys(SYS_utimensat, AT_FDCWD, DIR "/b/g", NULL, 0), -EROFS, "utimensat");
	is(sys(SYS_setxattr, DIR "/b/g", "trusted.x", "y", 1, 0), -EROFS, "setxattr");
	is(sys(SYS_removexattr, DIR "/b/g", "trusted.x"), -EROFS, "removexattr");
	is(sys(SYS_access, DIR "/b/g", W_OK), -EROFS, "access");
	is(sys(SYS_access, DIR "/b/g", R_OK), 0, "to read it");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/b/g", O_RDONLY, 0);
	is(sys(SYS_fchmod, fd, 0644), -EROFS, "fchmod");
	is(sys(SYS_fchown, fd, 1, 1), -EROFS, "fchown");
	is(sys(SYS_utimensat, fd, NULL, NULL, 0), -EROFS, "futimens");
	is(sys(SYS_fsetxattr, fd, "trusted.x", "y", 1, 0), -EROFS, "fsetxattr");
	sys(SYS_close, fd);
	is(sys(SYS_chmod, DIR "/a/g", 0700), 0, "while the source can be changed");
	sys(SYS_statfs, DIR "/b", &statfs);
	is((long)statfs.f_flags & 1, 1, "statfs tells by the mount");
	sys(SYS_statfs, DIR "/a", &statfs);
	is((long)statfs.f_flags & 1, 0, "of each");
	is(do_mount(NULL, DIR "/b", MS_REMOUNT | MS_BIND | MS_NOEXEC | MS_NODEV | MS_NOSUID), 0, "other flags");
	is(sys(SYS_access, DIR "/b/g", X_OK), -EACCES, "noexec: access");
	is(sys(SYS_execve, DIR "/b/g", NULL, NULL), -EACCES, "and execve");
	sys(SYS_mknod, DIR "/b/null", S_IFCHR | 0666, makedev(1, 3));
	is(sys(SYS_openat, AT_FDCWD, DIR "/b/null", O_RDWR, 0), -EACCES, "nodev");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/a/null", O_RDWR, 0);
	is_true(fd >= 0, fd, "but by way of the source");
	sys(SYS_close, fd);
	sys(SYS_unlink, DIR "/a/null");
	expect_no_code(DIR "/b/g", DIR "/a/g");
	read_all("/proc/self/mounts");
	is_true(strstr(text, " " DIR "/b tmpfs rw,nosuid,nodev,noexec,relatime") != NULL, 0, "mounts has the flags");
	is(sys(SYS_umount2, DIR "/b", 0), 0, "umount");
}

static void test_recursive(void)
{
	is(tmpfs(DIR "/a/d"), 0, "a tmpfs inside");
	make(DIR "/a/d/inner");
	is(do_mount(DIR "/a", DIR "/b", MS_BIND), 0, "a bind mount without MS_REC");
	is(there(DIR "/b/d/inner"), -ENOENT, "does not show it");
	is(sys(SYS_umount2, DIR "/b", 0), 0, "umount");
	is(do_mount(DIR "/a", DIR "/b", MS_BIND | MS_REC), 0, "with MS_REC");
	is(there(DIR "/b/d/inner"), 0, "it does");
	is(sys(SYS_umount2, DIR "/b", 0), -EBUSY, "so it has a mount inside");
	is(sys(SYS_umount2, DIR "/a/d", 0), 0, "the first of the two goes");
	is(there(DIR "/b/d/inner"), 0, "the file system stays for the second");
	is(sys(SYS_umount2, DIR "/b", MNT_DETACH), 0, "both are detached");
	is(there(DIR "/b/below"), 0, "and gone");
	is(do_mount(DIR, DIR "/b", MS_BIND | MS_REC), 0, "into itself");
	is(there(DIR "/b/b/below"), 0, "once");
	is(do_mount(DIR "/b", DIR "/b/a", MS_MOVE), -ELOOP, "MS_MOVE into itself");
	is(do_mount(DIR "/b", DIR "/a", MS_MOVE), 0, "MS_MOVE");
	is(there(DIR "/a/b/below") + there(DIR "/b/below"), 0, "moves it");
	is(sys(SYS_umount2, DIR "/a", 0), 0, "umount");
}

static void test_propagation(void)
{
	struct info info;

	is(do_mount(NULL, DIR "/a", MS_PRIVATE), -EINVAL, "propagation of what is no mount");
	is(do_mount(DIR "/a", DIR "/b", MS_BIND), 0, "a bind mount");
	is(do_mount(NULL, DIR "/b", MS_PRIVATE), 0, "is private");
	is(do_mount(NULL, DIR "/b", MS_PRIVATE | MS_REC), 0, "with all inside");
	is(do_mount(NULL, DIR "/b", MS_SLAVE), 0, "or a slave of none");
	is(do_mount(NULL, DIR "/b", MS_PRIVATE | MS_SLAVE), -EINVAL, "but not both");
	is(do_mount(NULL, DIR "/b", MS_PRIVATE | MS_NOSUID), -EINVAL, "nor with other flags");
	is(do_mount(NULL, DIR "/b", MS_UNBINDABLE), 0, "or unbindable");
	is(info_of(DIR "/b", &info), 1, "mountinfo");
	is(strncmp(info.rest, "unbindable - ", 13), 0, "says so");
	is(do_mount(DIR "/b", DIR "/c", MS_BIND), -EINVAL, "no bind mount can be made of it");
	is(do_mount(DIR, DIR "/c", MS_BIND | MS_REC), 0, "nor of what has it inside");
	is(there(DIR "/c/b/below"), 0, "which leaves it out");
	is(sys(SYS_umount2, DIR "/c", 0), 0, "umount");
	is(do_mount(NULL, DIR "/b", MS_PRIVATE), 0, "private again");
	is(do_mount(DIR "/b", DIR "/c", MS_BIND), 0, "it can be bound");
	is(sys(SYS_umount2, DIR "/c", 0) + sys(SYS_umount2, DIR "/b", 0), 0, "umount");
}

static void test_numbers(void)
{
	struct info top, info;
	struct stat stat_b;
	char path[64];
	long fd;

	is(do_mount(DIR "/a/d", DIR "/b", MS_BIND), 0, "a bind mount of a directory below");
	is(info_of(DIR, &top) + info_of(DIR "/b", &info), 2, "mountinfo");
	stat(DIR "/b", &stat_b);
	is_text(info.root, "/a/d", "has the path in the file system");
	is((long)info.parent, (long)top.number, "the parent");
	is_true(info.number != top.number, (long)info.number, "a number of its own");
	is((long)makedev(info.major, info.minor), (long)stat_b.st_dev, "the device");
	is_text(info.flags, "rw,relatime", "the flags");
	is(strncmp(info.rest, "- tmpfs none rw", 15), 0, "type, source and the file system's flags");
	is((long)mount_of(DIR "/b"), (long)info.number, "statx has the number");
	is((long)mount_of(DIR "/a/d"), (long)top.number, "which depends on the path");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/b", O_RDONLY | O_DIRECTORY, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
	read_all(path);
	snprintf(path, sizeof(path), "mnt_id:\t%lu\n", info.number);
	is_true(strstr(text, path) != NULL, 0, "fdinfo has it, too");
	is(do_mount(NULL, DIR "/b", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOATIME), 0, "flags");
	info_of(DIR "/b", &info);
	is_text(info.flags, "ro,noatime", "of the mount");
	is(strncmp(info.rest, "- tmpfs none rw", 15), 0, "are not those of the file system");
	is(do_mount(NULL, DIR "/b", MS_REMOUNT | MS_BIND), 0, "a change without flags for times");
	info_of(DIR "/b", &info);
	is_text(info.flags, "rw,noatime", "leaves those");
	sys(SYS_close, fd);
	is(sys(SYS_umount2, DIR "/b", 0), 0, "umount");
}

/* Unmount the source of a bind mount, and check that the file system lives on. */
static void test_life(void)
{
	long fd;

	is(tmpfs(DIR "/c"), 0, "a tmpfs");
	make(DIR "/c/f");
	is(do_mount(DIR "/c", DIR "/b", MS_BIND), 0, "is bound");
	is(sys(SYS_umount2, DIR "/c", 0), 0, "its first mount goes");
	is(there(DIR "/b/f"), 0, "the second one stays");
	fd = sys(SYS_openat, AT_FDCWD, DIR "/b/f", O_RDWR, 0);
	is(sys(SYS_umount2, DIR "/b", 0), -EBUSY, "as long as it is used");
	is(sys(SYS_umount2, DIR "/b", MNT_DETACH), 0, "or longer");
	is(sys(SYS_write, fd, "x", 1), 1, "with who uses it");
	is(sys(SYS_close, fd), 0, "then it is gone");
	is(sys(SYS_chdir, DIR "/b"), 0, "a working directory");
	is(tmpfs("."), 0, "on which something is mounted");
	is(sys(SYS_umount2, ".", 0), 0, "by the name of the directory it is unmounted");
	sys(SYS_chdir, "/");
}

static void test_many(void)
{
	char path[64];
	long failed = 0;
	struct info info;

	is(tmpfs(DIR "/c"), 0, "a tmpfs");
	for (int i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), DIR "/c/%d", i);
		mkdir(path, 0755);
		failed += do_mount(DIR "/a", path, MS_BIND) != 0;
	}
	is(failed, 0, "many bind mounts of one directory");
	is(there(DIR "/c/0/g") + there(DIR "/c/499/g"), 0, "show it");
	is(do_mount(DIR "/c", DIR "/b", MS_BIND | MS_REC), 0, "all are bound at once");
	is(there(DIR "/b/0/g") + there(DIR "/b/499/g"), 0, "and show it");
	is(sys(SYS_umount2, DIR "/c", MNT_DETACH), 0, "they go at once");
	is(info_of(DIR "/b/499", &info), 1, "without the others");
	is(sys(SYS_umount2, DIR "/b", MNT_DETACH), 0, "which go as well");
	is(info_of(DIR "/b/499", &info), 0, "all of them");
}

/* Check pivot_root, in a child whose root is a mount. */
static int pivot(void *unused)
{
	char path[64] = "";

	(void)unused;
	if (tmpfs(DIR "/c") || sys(SYS_chdir, DIR "/c") || sys(SYS_chroot, "."))
		return 1;
	sys(SYS_mkdir, "/new", 0755);
	sys(SYS_mkdir, "/old", 0755);
	make("/outer");
	if (sys(SYS_pivot_root, "/new", "/new") != -EBUSY)
		return 2;
	if (tmpfs("/new") || sys(SYS_mkdir, "/new/old", 0755) || sys(SYS_mkdir, "/new/more", 0755))
		return 3;
	make("/new/inner");
	if (sys(SYS_pivot_root, "/new", "/old") != -EBUSY || sys(SYS_pivot_root, "/new/more", "/new/old") != -EINVAL)
		return 4;
	if (sys(SYS_pivot_root, "/new", "/new/inner") != -ENOTDIR || sys(SYS_pivot_root, "/new", "/none") != -ENOENT)
		return 5;
	if (sys(SYS_pivot_root, "/new", "/new/old"))
		return 6;
	if (there("/inner") || there("/old/outer") || !there("/outer"))
		return 7;
	/* The working directory was the old root, so pivot_root must have moved it to the new one. */
	if (sys(SYS_getcwd, path, sizeof(path)) != 2 || strcmp(path, "/") != 0)
		return 8;
	if (sys(SYS_umount2, "/old", MNT_DETACH) || !there("/old/outer"))
		return 9;
	/* Do what pivot_root(2) shows as "pivot_root(".", ".")": it needs no directory for the old root. */
	if (sys(SYS_mkdir, "/third", 0755) || tmpfs("/third") || sys(SYS_chdir, "/third"))
		return 10;
	make("mark");
	if (sys(SYS_pivot_root, ".", ".") || sys(SYS_umount2, ".", MNT_DETACH))
		return 11;
	if (there("/mark") || !there("/inner") || sys(SYS_chdir, "..") || there("mark"))
		return 12;
	return 0;
}

static int pivot_not(void *unused)
{
	(void)unused;
	sys(SYS_setuid, 1000);
	return (int)-sys(SYS_pivot_root, "/", "/");
}

static void test_pivot(void)
{
	is(in_child(pivot_not, NULL), EXITED(EPERM), "pivot_root by a user");
	is(sys(SYS_pivot_root, "/none", "/"), -ENOENT, "to what is not there");
	is(in_child(pivot, NULL), EXITED(0), "pivot_root");
	is(sys(SYS_umount2, DIR "/c", MNT_DETACH), 0, "what is left of it");
}

static int as_user(void *unused)
{
	(void)unused;
	sys(SYS_setuid, 1000);
	if (do_mount(DIR "/a", DIR "/b", MS_BIND) != -EPERM || do_mount(NULL, DIR, MS_PRIVATE) != -EPERM)
		return 1;
	return do_mount(NULL, DIR, MS_REMOUNT | MS_BIND | MS_RDONLY) != -EPERM;
}

int main(void)
{
	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/tmp", 01777);
	mkdir(DIR, 0755);
	if (tmpfs(DIR))
		bail("a tmpfs", errno);
	mkdir(DIR "/c", 0755);
	test_bind();
	test_moved();
	test_file();
	test_flags();
	test_recursive();
	test_propagation();
	test_numbers();
	test_life();
	test_many();
	test_pivot();
	is(in_child(as_user, NULL), EXITED(0), "a user mounts nothing");
	is(sys(SYS_umount2, DIR, 0), 0, "nothing is left");
	rmdir(DIR);
	return finish();
}
