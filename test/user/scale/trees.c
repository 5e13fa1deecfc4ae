/* Paths of N components, N mounts, and one file of N pages. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "test/user/scale/scale.h"

#define DEEPEST    1900 /* two bytes each: getcwd must fit a page */
#define MOST_PAGES 32768

static char path[3 * DEEPEST + 64], text[8 << 10];
static struct stat seen;
static struct statfs seen_fs;
static int file;

static void deep(unsigned n)
{
	unsigned at = 0;

	work_open();
	for (unsigned i = 0; i < n; i++) {
		must(sys(SYS_mkdir, "d", 0755), "mkdir");
		must(sys(SYS_chdir, "d"), "chdir");
		path[at++] = 'd';
		path[at++] = '/';
	}
	path[at - 1] = '\0';
	must(sys(SYS_mkdir, "/tmp/other", 0755), "mkdir");
}

static void close_work(unsigned n)
{
	(void)n;
	work_close();
}

static void to_top(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_chdir, "/tmp"), "chdir");
}

static void to_end(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_chdir, path), "chdir");
}

static long stat_deep(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_stat, path, &seen);
}

static long open_deep(unsigned n, unsigned turn)
{
	long fd = sys(SYS_open, path, O_RDONLY);

	(void)n, (void)turn;
	return fd < 0 ? fd : sys(SYS_close, fd);
}

static long get_cwd(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getcwd, text, sizeof(text));
}

static long create_at_end(unsigned n, unsigned turn)
{
	long fd = sys(SYS_open, "x", O_CREAT | O_WRONLY, 0644);

	(void)n, (void)turn;
	return fd < 0 ? fd : sys(SYS_close, fd);
}

static void enter_end(unsigned n, unsigned turn)
{
	to_top(n, turn);
	to_end(n, turn);
}

static void leave_end(unsigned n, unsigned turn)
{
	sys(SYS_unlink, "x");
	to_top(n, turn);
}

static void name_mount(unsigned i)
{
	snprintf(path, sizeof(path), "/tmp/%u", i);
}

static void mounts(unsigned n)
{
	work_open();
	for (unsigned i = 0; i <= n; i++) {
		name_mount(i);
		must(sys(SYS_mkdir, path, 0755), "mkdir");
		if (i < n)
			must(sys(SYS_mount, "tmpfs", path, "tmpfs", 0, NULL), "mount");
	}
	file = open_file("/proc/self/mounts");
}

static void name_middle(unsigned n, unsigned turn)
{
	(void)turn;
	name_mount(n / 2);
}

static void name_free(unsigned n, unsigned turn)
{
	(void)turn;
	name_mount(n);
}

static long stat_mount(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_stat, path, &seen);
}

static long stat_fs(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_statfs, path, &seen_fs);
}

static long mount_one(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_mount, "tmpfs", path, "tmpfs", 0, NULL);
}

static void unmount_after(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_umount2, path, 0), "umount");
}

static void mount_before(unsigned n, unsigned turn)
{
	name_free(n, turn);
	must(mount_one(n, turn), "mount");
}

static long unmount_one(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_umount2, path, 0);
}

static long read_mounts(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_all(file);
}

static void pages(unsigned n)
{
	work_open();
	file = (int)must(sys(SYS_open, "x", O_CREAT | O_RDWR, 0644), "create");
	for (unsigned i = 0; i < n; i++)
		must(sys(SYS_pwrite64, file, text, PAGE, i * PAGE), "write");
}

static void close_pages(unsigned n)
{
	(void)n;
	sys(SYS_close, file);
	work_close();
}

static long write_middle(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pwrite64, file, text, PAGE, n / 2 * PAGE);
}

static long read_middle(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pread64, file, text, PAGE, n / 2 * PAGE);
}

static long read_byte(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pread64, file, text, 1, n / 2 * PAGE);
}

static long append(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_pwrite64, file, text, PAGE, n * PAGE);
}

static void cut(unsigned n, unsigned turn)
{
	(void)turn;
	must(sys(SYS_ftruncate, file, n * PAGE), "ftruncate");
}

static void lengthen(unsigned n, unsigned turn)
{
	must(append(n, turn), "write");
}

static long cut_page(unsigned n, unsigned turn)
{
	(void)turn;
	return sys(SYS_ftruncate, file, n * PAGE);
}

static long seek_hole(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_lseek, file, 0, SEEK_HOLE);
}

/* A file with nothing but its last page. */
static void hole(unsigned n)
{
	work_open();
	file = (int)must(sys(SYS_open, "x", O_CREAT | O_RDWR, 0644), "create");
	must(sys(SYS_pwrite64, file, text, PAGE, n * PAGE), "write");
}

static long seek_data(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_lseek, file, 0, SEEK_DATA);
}

#define DEEP     .largest = DEEPEST, .setup = deep, .teardown = close_work
#define MOUNTS   .largest = 5000, .setup = mounts
#define IN_PAGES .largest = MOST_PAGES, .setup = pages, .teardown = close_pages
#define IN_HOLE  .largest = MOST_PAGES, .setup = hole, .teardown = close_pages

static const struct row rows[] = {
	{ "stat by depth, a component", DEEP, .each = true, .before = to_top, .step = stat_deep },
	{ "open by depth, a component", DEEP, .each = true, .before = to_top, .step = open_deep },
	{ "getcwd by depth, a component", DEEP, .each = true, .before = enter_end, .step = get_cwd, .after = to_top },
	{ "create in a deep directory", DEEP, .before = enter_end, .step = create_at_end, .after = leave_end },
	{ "stat of a mount", MOUNTS, .before = name_middle, .step = stat_mount },
	{ "statfs of a mount", MOUNTS, .before = name_middle, .step = stat_fs },
	{ "mount", MOUNTS, .before = name_free, .step = mount_one, .after = unmount_after },
	{ "umount", MOUNTS, .before = mount_before, .step = unmount_one },
	{ "mounts, a line", MOUNTS, .each = true, .step = read_mounts },
	{ "pwrite of a page", IN_PAGES, .kind = ROW_BYTES, .step = write_middle },
	{ "pread of a page", IN_PAGES, .kind = ROW_BYTES, .step = read_middle },
	{ "pread of a byte", IN_PAGES, .step = read_byte },
	{ "append a page", IN_PAGES, .kind = ROW_BYTES, .step = append, .after = cut },
	{ "cut a page off", IN_PAGES, .before = lengthen, .step = cut_page },
	{ "SEEK_HOLE behind N pages", IN_PAGES, .each = true, .step = seek_hole },
	{ "pread of a hole", IN_HOLE, .kind = ROW_BYTES, .step = read_middle },
	{ "SEEK_DATA behind N pages of hole", IN_HOLE, .step = seek_data },
};

ROOM(trees);
