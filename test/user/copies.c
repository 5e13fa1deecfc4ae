/*
 * Tests files without a name (O_TMPFILE), which linkat can give one, and copy_file_range.
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

#define DIR "/tmp/copies"

static char back[64];

static void test_unnamed(void)
{
	char path[32];
	struct stat info;
	int fd;

	is(open(DIR, O_TMPFILE | O_RDONLY, 0600) < 0 ? -errno : 0, -EINVAL, "a file without a name only to read");
	is(open(DIR "/none", O_TMPFILE | O_RDWR, 0600) < 0 ? -errno : 0, -ENOENT, "in no directory");
	fd = open(DIR, O_TMPFILE | O_RDWR, 0640);
	is_true(fd >= 0, fd, "in one that is there");
	is(fstat(fd, &info), 0, "its status");
	is((long)info.st_nlink, 0, "it has no name");
	is((long)(info.st_mode & 07777), 0640, "and the mode that was asked for");
	is(sys(SYS_write, fd, "text", 4), 4, "it is written");
	mkdir("/proc", 0555);
	mount("proc", "/proc", "proc", 0, NULL);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	is(linkat(AT_FDCWD, path, AT_FDCWD, DIR "/named", AT_SYMLINK_FOLLOW) ? -errno : 0, 0, "it gets a name");
	is(stat(DIR "/named", &info), 0, "by which it is found");
	is(info.st_size, 4, "with what was written");
	is(unlink(DIR "/named"), 0, "and removed");
	close(fd);
}

static void test_copy(void)
{
	int in = open(DIR "/in", O_RDWR | O_CREAT, 0600), out = open(DIR "/out", O_RDWR | O_CREAT, 0600), ends[2];
	int dir = open(DIR, O_RDONLY);
	long from = 2, to = 5;

	is(sys(SYS_write, in, "0123456789", 10), 10, "ten bytes");
	is(sys(SYS_copy_file_range, in, &from, out, &to, 4, 0), 4, "four of them are copied");
	is(from, 6, "from the one place");
	is(to, 9, "to the other");
	is(lseek(in, 0, SEEK_CUR), 10, "the positions stay");
	is(sys(SYS_pread64, out, back, 64, 0), 9, "the file is as long as that");
	is(memcmp(back,
		  "\0\0\0\0\0"
		  "2345",
		  9),
	   0, "and has them in their place");
	lseek(in, 7, SEEK_SET);
	is(sys(SYS_copy_file_range, in, NULL, out, NULL, 100, 0), 3, "without places the positions count");
	is(lseek(in, 0, SEEK_CUR), 10, "and move");
	is(lseek(out, 0, SEEK_CUR), 3, "both");
	is(sys(SYS_copy_file_range, in, NULL, out, NULL, 100, 0), 0, "at the end there is nothing");
	from = 0;
	to = 3;
	is(sys(SYS_copy_file_range, in, &from, in, &to, 5, 0), -EINVAL, "within a file ranges must not meet");
	is(sys(SYS_copy_file_range, in, &from, in, &to, 3, 0), 3, "but may touch");
	is(sys(SYS_copy_file_range, in, NULL, out, NULL, 1, 1), -EINVAL, "a flag");
	is(sys(SYS_copy_file_range, dir, NULL, out, NULL, 1, 0), -EISDIR, "a directory");
	is(sys(SYS_copy_file_range, 999, NULL, out, NULL, 1, 0), -EBADF, "a descriptor that is not open");
	is(pipe(ends), 0, "a pipe");
	is(sys(SYS_copy_file_range, ends[0], NULL, out, NULL, 1, 0), -EINVAL, "is no regular file");
	close(in);
	in = open(DIR "/in", O_WRONLY);
	is(sys(SYS_copy_file_range, in, NULL, out, NULL, 1, 0), -EBADF, "one that cannot be read");
	close(in);
	close(out);
	close(dir);
}

int main(void)
{
	mkdir(DIR, 0700);
	is(mount("tmpfs", DIR, "tmpfs", 0, NULL) ? -errno : 0, 0, "a tmpfs");
	test_unnamed();
	test_copy();
	return finish();
}
