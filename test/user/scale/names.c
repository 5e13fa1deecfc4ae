/* Names: a directory of N files, and what stands in it. See scale.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "test/user/scale/scale.h"

#define LARGEST 30000

#define LONG_NAME 255

/*
 * Of the directory's N files: the first, one in the middle, the last; a name that is free; where a step puts what it
 * opens.
 */
static char oldest[LONG_NAME + 1], middle[LONG_NAME + 1], newest[LONG_NAME + 1], fresh[LONG_NAME + 1];
static int opened, second;
static struct stat seen;
static char text[8 << 10], link_path[32];

/* Into `ret`: the name of file `i`, of `length` bytes or as short as the number is. */
static void make_name(char *ret, unsigned i, unsigned length)
{
	snprintf(ret, LONG_NAME + 1, "%u", i);
	if (length) {
		memset(ret, 'x', length);
		snprintf(ret + length - 8, 9, "%08u", i % 100000000);
	}
}

static void make_file(const char *name)
{
	long fd = must(sys(SYS_open, name, O_CREAT | O_EXCL | O_WRONLY, 0644), "create");

	sys(SYS_close, fd);
}

static void fill(unsigned n, unsigned length)
{
	work_open();
	must(sys(SYS_mkdir, "/tmp/other", 0755), "mkdir");
	must(sys(SYS_mkdir, "/tmp/here", 0755), "mkdir");
	must(sys(SYS_chdir, "/tmp/here"), "chdir");
	for (unsigned i = 0; i < n; i++) {
		make_name(newest, i, length);
		make_file(newest);
	}
	make_name(oldest, 0, length);
	make_name(middle, n / 2, length);
	make_name(fresh, n, length);
}

static void files(unsigned n)
{
	fill(n, 0);
}

static void long_files(unsigned n)
{
	fill(n, LONG_NAME);
}

static void close_work(unsigned n)
{
	(void)n;
	work_close();
}

static long open_and_close(unsigned n, unsigned turn)
{
	long fd = sys(SYS_open, middle, O_RDONLY);

	(void)n, (void)turn;
	return fd < 0 ? fd : sys(SYS_close, fd);
}

static long stat_middle(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_stat, middle, &seen);
}

/* ENOENT is what a missing name must say. */
static long stat_missing(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_stat, fresh, &seen) == -2 ? 0 : -1;
}

static long change_mode(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_chmod, newest, 0600);
}

static long create(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return opened = (int)sys(SYS_open, fresh, O_CREAT | O_EXCL | O_WRONLY, 0644);
}

static void close_fresh(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_close, opened);
	must(sys(SYS_unlink, fresh), "unlink");
}

static void make_fresh(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	make_file(fresh);
}

static void link_fresh(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_link, newest, fresh), "link");
}

static long unlink_fresh(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_unlink, fresh);
}

static void drop_fresh(unsigned n, unsigned turn)
{
	must(unlink_fresh(n, turn), "unlink");
}

static long unlink_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_unlink, newest);
}

static void make_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	make_file(newest);
}

static void name_oldest(unsigned n, unsigned turn)
{
	(void)n;
	make_name(oldest, turn, 0);
}

static long unlink_oldest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_unlink, oldest);
}

static void make_oldest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	make_file(oldest);
}

static long rename_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_rename, newest, fresh);
}

static void rename_back(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_rename, fresh, newest), "rename");
}

static long rename_over(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_rename, fresh, newest);
}

static long move_away(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_rename, newest, "/tmp/other/x");
}

static void move_back(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	must(sys(SYS_rename, "/tmp/other/x", newest), "rename");
}

static long link_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_link, newest, fresh);
}

static long make_symlink(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_symlink, "somewhere", fresh);
}

static long make_directory(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_mkdir, fresh, 0755);
}

static void make_fresh_directory(unsigned n, unsigned turn)
{
	must(make_directory(n, turn), "mkdir");
}

static long remove_directory(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_rmdir, fresh);
}

static void drop_directory(unsigned n, unsigned turn)
{
	must(remove_directory(n, turn), "rmdir");
}

static void enter_fresh(unsigned n, unsigned turn)
{
	must(make_directory(n, turn), "mkdir");
	must(sys(SYS_chdir, fresh), "chdir");
}

static long get_cwd(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_getcwd, text, sizeof(text));
}

static void leave_fresh(unsigned n, unsigned turn)
{
	must(sys(SYS_chdir, ".."), "chdir");
	drop_directory(n, turn);
}

static void open_newest(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	opened = open_file(newest);
	snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", opened);
}

static long read_fd_link(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return sys(SYS_readlink, link_path, text, sizeof(text));
}

static void close_opened(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	sys(SYS_close, opened);
}

static void *mapped;

static void map_newest(unsigned n, unsigned turn)
{
	open_newest(n, turn);
	mapped = (void *)must(sys(SYS_mmap, 0, PAGE, PROT_READ, MAP_SHARED, opened, 0), "mmap");
	second = open_file("/proc/self/maps");
}

static long read_text(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return read_once(second, sizeof(text));
}

static void unmap_newest(unsigned n, unsigned turn)
{
	must(sys(SYS_munmap, mapped, PAGE), "munmap");
	sys(SYS_close, second);
	close_opened(n, turn);
}

static void mount_fresh(unsigned n, unsigned turn)
{
	must(make_directory(n, turn), "mkdir");
	must(sys(SYS_mount, "tmpfs", fresh, "tmpfs", 0, 0), "mount");
	second = open_file("/proc/self/mounts");
}

static void unmount_fresh(unsigned n, unsigned turn)
{
	sys(SYS_close, second);
	must(sys(SYS_umount2, fresh, 0), "umount");
	drop_directory(n, turn);
}

static void open_here(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	opened = open_file(".");
	second = open_file(".");
}

static long list_names(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_all(opened);
}

static long list_first(unsigned n, unsigned turn)
{
	(void)n, (void)turn;
	return list_once(opened, 300);
}

static void close_here(unsigned n, unsigned turn)
{
	sys(SYS_close, second);
	close_opened(n, turn);
}

/* From the start of the directory, both descriptors. */
static long list_in_turns(unsigned n, unsigned turn)
{
	long got;

	(void)n, (void)turn;
	sys(SYS_lseek, opened, 0, 0);
	sys(SYS_lseek, second, 0, 0);
	do {
		got = sys(SYS_getdents64, opened, text, sizeof(text));
		if (got >= 0)
			got = sys(SYS_getdents64, second, text, sizeof(text));
	} while (got > 0);
	return got;
}

static void colliding_files(unsigned n)
{
	fill(0, 0);
	collisions_make();
	for (unsigned i = 0; i < n; i++) {
		collision_name(newest, i);
		make_file(newest);
	}
	collision_name(middle, n / 2);
	collision_name(fresh, n);
}

/* N names of one file. */
static void links(unsigned n)
{
	fill(1, 0);
	for (unsigned i = 1; i < n; i++) {
		make_name(fresh, i, 0);
		must(sys(SYS_link, newest, fresh), "link");
	}
	make_name(newest, n - 1, 0);
	make_name(middle, n / 2, 0);
	make_name(fresh, n, 0);
}

#define IN_FILES      .largest = LARGEST, .setup = files, .teardown = close_work
#define IN_LONG_FILES .largest = LARGEST, .setup = long_files, .teardown = close_work
#define COLLIDING     .largest = LARGEST, .setup = colliding_files, .teardown = close_work
#define IN_LINKS      .largest = LARGEST, .setup = links, .teardown = close_work

static const struct row rows[] = {
	{ "open and close", IN_FILES, .step = open_and_close },
	{ "stat", IN_FILES, .step = stat_middle },
	{ "stat of a missing name", IN_FILES, .step = stat_missing },
	{ "chmod", IN_FILES, .step = change_mode },
	{ "create", IN_FILES, .step = create, .after = close_fresh },
	{ "unlink newest", IN_FILES, .step = unlink_newest, .after = make_newest },
	{ "rename newest", IN_FILES, .step = rename_newest, .after = rename_back },
	{ "rename over newest", IN_FILES, .before = make_fresh, .step = rename_over },
	{ "rename to another directory", IN_FILES, .step = move_away, .after = move_back },
	{ "link", IN_FILES, .step = link_newest, .after = drop_fresh },
	{ "symlink", IN_FILES, .step = make_symlink, .after = drop_fresh },
	{ "mkdir", IN_FILES, .step = make_directory, .after = drop_directory },
	{ "rmdir", IN_FILES, .before = make_fresh_directory, .step = remove_directory },
	{ "getcwd", IN_FILES, .before = enter_fresh, .step = get_cwd, .after = leave_fresh },
	{ "readlink of an open file", IN_FILES, .before = open_newest, .step = read_fd_link, .after = close_opened },
	{ "maps with one file", IN_FILES, .before = map_newest, .step = read_text, .after = unmap_newest },
	{ "mounts", IN_FILES, .before = mount_fresh, .step = read_text, .after = unmount_fresh },
	{ "list a directory, a name", IN_FILES, .each = true, .before = open_here, .step = list_names,
	  .after = close_here },
	{ "first names of a directory", IN_FILES, .before = open_here, .step = list_first, .after = close_here },
	{ "two readers in turns, a name", IN_FILES, .each = true, .before = open_here, .step = list_in_turns,
	  .after = close_here },
	{ "unlink oldest", IN_FILES, .before = name_oldest, .step = unlink_oldest, .after = make_oldest },
	{ "open and close, 255 bytes", IN_LONG_FILES, .step = open_and_close },
	{ "stat, 255 bytes", IN_LONG_FILES, .step = stat_middle },
	{ "create, 255 bytes", IN_LONG_FILES, .step = create, .after = close_fresh },
	{ "list, 255 bytes, a name", IN_LONG_FILES, .each = true, .before = open_here, .step = list_names,
	  .after = close_here },
	{ "stat, one hash", COLLIDING, .step = stat_middle },
	{ "create, one hash", COLLIDING, .step = create, .after = close_fresh },
	{ "stat, N links", IN_LINKS, .step = stat_middle },
	{ "unlink, N links", IN_LINKS, .before = link_fresh, .step = unlink_fresh },
	{ "link, N links", IN_LINKS, .step = link_newest, .after = drop_fresh },
};

ROOM(names);
