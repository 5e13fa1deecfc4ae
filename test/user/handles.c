/*
 * Tests file handles: name_to_handle_at(2), open_by_handle_at(2). Mounts /proc if it is missing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/user/tap.h"

#define ROOM    128  /* bytes of the largest handle */
#define ABOVE   3    /* a descriptor that is not open */
#define USER    1000 /* a user ID without rights */
#define DIR     "/tmp/handles"
#define BAD_PTR ((void *)8)

struct handle {
	unsigned size;
	int type;
	unsigned char bytes[ROOM];
};

static struct handle file_handle;

static long name(int fd, const char *path, struct handle *handle, int flags)
{
	int mount;

	handle->size = ROOM;
	return sys(SYS_name_to_handle_at, fd, path, handle, &mount, flags);
}

static long open_handle(int fd, const struct handle *handle, int flags)
{
	return sys(SYS_open_by_handle_at, fd, handle, flags);
}

static void test_files(int dir)
{
	struct handle again, of_dir, of_link;
	struct stat one, two;
	char byte = 0;
	long fd;

	is(name(AT_FDCWD, DIR "/file", &file_handle, 0), 0, "the handle of a file");
	is(name(dir, "file", &again, AT_SYMLINK_FOLLOW), 0, "again, by another way");
	is_true(again.size == file_handle.size && again.type == file_handle.type &&
			memcmp(again.bytes, file_handle.bytes, again.size) == 0,
		again.size, "is the same");
	fd = open_handle(dir, &file_handle, O_RDWR);
	is_true(fd >= 0, fd, "opens the file");
	sys(SYS_read, fd, &byte, 1);
	is(byte, 'a', "and no other");
	sys(SYS_fstat, fd, &one);
	stat(DIR "/file", &two);
	is_true(one.st_ino == two.st_ino && one.st_dev == two.st_dev, (long)one.st_ino, "by its number");
	sys(SYS_close, fd);
	is(name(dir, "", &of_dir, AT_EMPTY_PATH), 0, "the handle of a descriptor");
	fd = open_handle(AT_FDCWD, &of_dir, O_RDONLY | O_DIRECTORY);
	is_true(fd >= 0, fd, "leads to its directory");
	sys(SYS_close, fd);
	is(open_handle(AT_FDCWD, &of_dir, O_RDWR), -EISDIR, "which cannot be written");
	is(name(AT_FDCWD, DIR "/link", &of_link, 0), 0, "the handle of a link");
	is(open_handle(AT_FDCWD, &of_link, O_RDONLY), -ELOOP, "which is not followed");
	is(name(AT_FDCWD, DIR "/link", &of_link, AT_SYMLINK_FOLLOW), 0, "the handle of what it leads to");
	is_true(memcmp(of_link.bytes, file_handle.bytes, of_link.size) == 0, 0, "is the file's");
}

static void test_errors(int dir)
{
	struct handle small = { .size = 1 }, large = { .size = ROOM + 1 }, none = { .size = 0 }, other = file_handle;
	int mount, place;

	is(sys(SYS_name_to_handle_at, dir, "file", &small, &mount, 0), -EOVERFLOW, "too little room");
	is(small.size, file_handle.size, "the size that is needed");
	is(sys(SYS_name_to_handle_at, dir, "file", &large, &mount, 0), -EINVAL, "more than any handle has");
	is(sys(SYS_name_to_handle_at, dir, "file", BAD_PTR, &mount, 0), -EFAULT, "no room at all");
	is(sys(SYS_name_to_handle_at, dir, "file", &other, BAD_PTR, 0), -EFAULT, "nor for the mount");
	is(name(dir, "file", &other, 1), -EINVAL, "a flag that is none");
	is(name(dir, "", &other, 0), -ENOENT, "no name");
	is(name(ABOVE + 50, "file", &other, 0), -EBADF, "no descriptor");
	is(name(AT_FDCWD, "/proc/self", &other, 0), -EOPNOTSUPP, "files of /proc have none");
	is(open_handle(ABOVE + 50, &file_handle, O_RDONLY), -EBADF, "no descriptor to open by");
	place = open(DIR, O_PATH | O_DIRECTORY);
	is(open_handle(place, &file_handle, O_RDONLY), -EBADF, "nor one that only names a place");
	close(place);
	is(open_handle(dir, BAD_PTR, O_RDONLY), -EFAULT, "no handle");
	is(open_handle(dir, &none, O_RDONLY), -EINVAL, "an empty one");
	is(open_handle(dir, &large, O_RDONLY), -EINVAL, "one that is too long");
	is(sys(SYS_readlinkat, AT_FDCWD, "", &other, sizeof(other)), -ENOENT, "readlink of no name");
	is(sys(SYS_utimensat, AT_FDCWD, NULL, NULL, 0), -EFAULT, "utimensat of none");
}

static int open_as_user(void *argument)
{
	(void)argument;
	if (sys(SYS_setuid, USER) != 0)
		return 2;
	return open_handle(AT_FDCWD, &file_handle, O_RDONLY) == -EPERM ? 0 : 1;
}

int main(void)
{
	int dir, fd;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir(DIR, 0755);
	dir = open(DIR, O_RDONLY | O_DIRECTORY);
	fd = open(DIR "/file", O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (write(fd, "a", 1) != 1 || symlink("file", DIR "/link") != 0)
		bail("no files", errno);
	close(fd);
	test_files(dir);
	test_errors(dir);
	is(in_child(open_as_user, NULL), EXITED(0), "a handle goes around permissions: for root alone");
	unlink(DIR "/link");
	unlink(DIR "/file");
	is(open_handle(dir, &file_handle, O_RDONLY), -ESTALE, "the handle of a file that is gone");
	fd = open(DIR "/next", O_RDWR | O_CREAT, 0644);
	is(open_handle(dir, &file_handle, O_RDONLY), -ESTALE, "is not that of the next one");
	close(fd);
	unlink(DIR "/next");
	close(dir);
	rmdir(DIR);
	return finish();
}
