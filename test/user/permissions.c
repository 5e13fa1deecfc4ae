/*
 * Tests which users may do what to files, by a table of calls: each is tried by root, by the file's owner, by a member
 * of its group, and by another user. For each cell a child makes the files anew, becomes the user, and makes the call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define HOME "/tmp/.permissions"

enum { OWNER = 1000, MEMBER, STRANGER, GROUP = 2000, NO_GROUP };

static const char *const people[] = { "root", "owner", "group", "other" };

static void become(size_t who)
{
	static const int groups[] = { NO_GROUP, GROUP };

	if (!who)
		return;
	sys(SYS_setgroups, who == 2 ? 2 : 1, groups);
	sys(SYS_setresgid, NO_GROUP, NO_GROUP, NO_GROUP);
	sys(SYS_setresuid, OWNER + (int)who - 1, OWNER + (int)who - 1, OWNER + (int)who - 1);
}

/* The mode of the file or directory that the call is about, which belongs to OWNER and GROUP. */
static int wanted;

static void make_file(const char *path, int mode)
{
	int file = (int)sys(SYS_openat, AT_FDCWD, path, O_CREAT | O_RDWR, 0600);

	sys(SYS_write, file, "x", 1);
	sys(SYS_close, file);
	sys(SYS_chown, path, OWNER, GROUP);
	sys(SYS_chmod, path, mode);
}

/* Make the files. Most calls are about "f" and "dir"; "dir/f", "dir/d" and "dir/link" belong to root. */
static void make_files(void)
{
	sys(SYS_umask, 0);
	sys(SYS_mkdir, HOME, 0755);
	sys(SYS_chdir, HOME);
	make_file("f", wanted);
	sys(SYS_mkdir, "dir", 0700);
	sys(SYS_mkdir, "dir/d", 0755);
	make_file("dir/f", 0644);
	sys(SYS_chown, "dir/f", 0, 0);
	sys(SYS_symlink, "f", "dir/link");
	sys(SYS_mkdir, "all", 0777);
	sys(SYS_mkdir, "sticky", 0700);
	make_file("sticky/f", 0644);
	sys(SYS_symlink, "../f", "sticky/link");
	sys(SYS_lchown, "sticky/link", OWNER, GROUP);
	sys(SYS_chmod, "sticky", 01777);
	sys(SYS_chown, "dir", OWNER, GROUP);
	sys(SYS_chmod, "dir", wanted);
}

static void remove_files(void)
{
	static const char *const paths[] = { HOME "/dir/f",   HOME "/dir/g",    HOME "/dir/link", HOME "/dir/n",
					     HOME "/f",       HOME "/g",        HOME "/all/f",    HOME "/all/n",
					     HOME "/all/g",   HOME "/sticky/f", HOME "/sticky/g", HOME "/sticky/link",
					     HOME "/sticky/n" };
	static const char *const dirs[] = { HOME "/dir/d",   HOME "/dir/n", HOME "/all/d",  HOME "/all/n", HOME "/dir",
					    HOME "/all/dir", HOME "/all",   HOME "/sticky", HOME };

	for (size_t i = 0; i < COUNT(paths); i++)
		sys(SYS_unlink, paths[i]);
	for (size_t i = 0; i < COUNT(dirs); i++)
		sys(SYS_rmdir, dirs[i]);
}

/* ---- the calls; each returns what the call returns, with 0 for a descriptor ---- */

static struct stat seen;
static const struct timespec then[2] = { { 5, 0 }, { 6, 0 } }, one_now[2] = { { 0, UTIME_NOW }, { 0, UTIME_OMIT } },
			     neither[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };

static long opened(long file)
{
	return file < 0 ? file : 0;
}

#define OPEN(name, ...)                                          \
	static long name(void)                                   \
	{                                                        \
		return opened(sys(SYS_open, __VA_ARGS__, 0, 0)); \
	}
#define CALL(name, ...)                  \
	static long name(void)           \
	{                                \
		return sys(__VA_ARGS__); \
	}

/* clang-format off */
OPEN(open_read, "f", O_RDONLY)
OPEN(open_write, "f", O_WRONLY)
OPEN(open_both, "f", O_RDWR)
OPEN(open_emptied, "f", O_RDONLY | O_TRUNC)
OPEN(open_quietly, "f", O_RDONLY | O_NOATIME)
OPEN(open_path, "f", O_PATH)
OPEN(open_dir, "dir", O_RDONLY)
OPEN(open_made, "dir/n", O_CREAT | O_RDWR, 0)
OPEN(open_there, "dir/f", O_CREAT | O_RDONLY, 0)
CALL(access_read, SYS_access, "f", R_OK)
CALL(access_write, SYS_access, "f", W_OK)
CALL(access_execute, SYS_access, "f", X_OK)
CALL(execute, SYS_execve, "f", NULL, NULL)
CALL(stat_file, SYS_stat, "f", &seen)
CALL(stat_below, SYS_stat, "dir/f", &seen)
CALL(stat_dots, SYS_stat, "dir/..", &seen)
CALL(make_dir, SYS_mkdir, "dir/n", 0777)
CALL(make_dir_there, SYS_mkdir, "dir/d", 0777)
CALL(make_fifo, SYS_mknod, "dir/n", S_IFIFO | 0666, 0)
CALL(make_device, SYS_mknod, "all/n", S_IFCHR | 0666, makedev(1, 3))
CALL(make_symlink, SYS_symlink, "f", "dir/n")
CALL(link_into, SYS_link, "sticky/f", "dir/n")
CALL(link_it, SYS_link, "f", "all/n")
CALL(unlink_it, SYS_unlink, "dir/f")
CALL(rmdir_it, SYS_rmdir, "dir/d")
CALL(rename_inside, SYS_rename, "dir/f", "dir/g")
CALL(rename_into, SYS_rename, "all/g", "dir/n")
CALL(rename_dir, SYS_rename, "all/dir", "sticky/d")
CALL(unlink_sticky, SYS_unlink, "sticky/f")
CALL(rename_sticky, SYS_rename, "sticky/f", "sticky/g")
CALL(rename_onto_sticky, SYS_rename, "all/g", "sticky/f")
CALL(follow_sticky, SYS_stat, "sticky/link", &seen)
CALL(chmod_it, SYS_chmod, "f", 0777)
CALL(chown_away, SYS_chown, "f", STRANGER, -1)
CALL(chown_same, SYS_chown, "f", OWNER, -1)
CALL(chown_nothing, SYS_chown, "f", -1, -1)
CALL(chgrp_own, SYS_chown, "f", -1, NO_GROUP)
CALL(chgrp_away, SYS_chown, "f", -1, 7)
CALL(set_times, SYS_utimensat, AT_FDCWD, "f", then, 0)
CALL(touch, SYS_utimensat, AT_FDCWD, "f", NULL, 0)
CALL(touch_one, SYS_utimensat, AT_FDCWD, "f", one_now, 0)
CALL(omit_times, SYS_utimensat, AT_FDCWD, "f", neither, 0)
CALL(shorten, SYS_truncate, "f", 0)
CALL(change_dir, SYS_chdir, "dir")
CALL(change_root, SYS_chroot, "all")
CALL(unmount_nothing, SYS_umount2, "all", 0)
/* clang-format on */

static long mount_it(void)
{
	long result = sys(SYS_mount, "none", "all", "tmpfs", 0, NULL);

	return result ? result : sys(SYS_umount2, "all", 0);
}

/* A row of the table: the call, the mode, and for each of the four users the errno that the call must give. */
static const struct row {
	const char *name;
	long (*call)(void);
	int mode;
	int errors[4];
} table[] = {
	{ "open for reading, 0640", open_read, 0640, { 0, 0, 0, EACCES } },
	{ "open for reading, 0004", open_read, 0004, { 0, EACCES, EACCES, 0 } },
	{ "open for reading, 0040", open_read, 0040, { 0, EACCES, 0, EACCES } },
	{ "open for writing, 0640", open_write, 0640, { 0, 0, EACCES, EACCES } },
	{ "open for both, 0424", open_both, 0424, { 0, EACCES, EACCES, EACCES } },
	{ "open with O_TRUNC, 0644", open_emptied, 0644, { 0, 0, EACCES, EACCES } },
	{ "open with O_NOATIME, 0644", open_quietly, 0644, { 0, 0, EPERM, EPERM } },
	{ "open with O_PATH, 0000", open_path, 0, { 0, 0, 0, 0 } },
	{ "open a directory, 0710", open_dir, 0710, { 0, 0, EACCES, EACCES } },
	{ "make by open, 0730", open_made, 0730, { 0, 0, 0, EACCES } },
	{ "make by open, 0720", open_made, 0720, { 0, 0, EACCES, EACCES } },
	{ "open with O_CREAT what is there, 0555", open_there, 0555, { 0, 0, 0, 0 } },
	{ "access to read, 0640", access_read, 0640, { 0, 0, 0, EACCES } },
	{ "access to write, 0460", access_write, 0460, { 0, EACCES, 0, EACCES } },
	{ "access to execute, 0666", access_execute, 0666, { EACCES, EACCES, EACCES, EACCES } },
	{ "access to execute, 0010", access_execute, 0010, { 0, EACCES, 0, EACCES } },
	{ "execve, 0010", execute, 0010, { ENOEXEC, EACCES, ENOEXEC, EACCES } },
	{ "execve, 0666", execute, 0666, { EACCES, EACCES, EACCES, EACCES } },
	{ "stat, 0000", stat_file, 0, { 0, 0, 0, 0 } },
	{ "stat in a directory, 0710", stat_below, 0710, { 0, 0, 0, EACCES } },
	{ "stat in a directory, 0601", stat_below, 0601, { 0, EACCES, EACCES, 0 } },
	{ "stat of a directory's parent, 0600", stat_dots, 0600, { 0, EACCES, EACCES, EACCES } },
	{ "mkdir, 0730", make_dir, 0730, { 0, 0, 0, EACCES } },
	{ "mkdir, 0550", make_dir, 0550, { 0, EACCES, EACCES, EACCES } },
	{ "mkdir of what is there, 0555", make_dir_there, 0555, { EEXIST, EEXIST, EEXIST, EEXIST } },
	{ "mkfifo, 0730", make_fifo, 0730, { 0, 0, 0, EACCES } },
	{ "mknod of a device", make_device, 0666, { 0, EPERM, EPERM, EPERM } },
	{ "symlink, 0730", make_symlink, 0730, { 0, 0, 0, EACCES } },
	{ "link to a stranger's file, 0777", link_into, 0777, { 0, 0, EPERM, EPERM } },
	{ "link, 0664", link_it, 0664, { 0, 0, 0, EPERM } },
	{ "link, 04666", link_it, 04666, { 0, 0, EPERM, EPERM } },
	{ "unlink, 0730", unlink_it, 0730, { 0, 0, 0, EACCES } },
	{ "unlink, 01730", unlink_it, 01730, { 0, 0, EPERM, EACCES } },
	{ "rmdir, 0730", rmdir_it, 0730, { 0, 0, 0, EACCES } },
	{ "rmdir, 01777", rmdir_it, 01777, { 0, 0, EPERM, EPERM } },
	{ "rename inside, 0730", rename_inside, 0730, { 0, 0, 0, EACCES } },
	{ "rename from outside, 0730", rename_into, 0730, { 0, 0, 0, EACCES } },
	{ "rename of a directory, 0570", rename_dir, 0570, { 0, EACCES, 0, EACCES } },
	{ "unlink in another's sticky directory", unlink_sticky, 0666, { 0, 0, EPERM, EPERM } },
	{ "rename there", rename_sticky, 0666, { 0, 0, EPERM, EPERM } },
	{ "rename over a file there", rename_onto_sticky, 0666, { 0, 0, EPERM, EPERM } },
	{ "follow a link there", follow_sticky, 0666, { EACCES, 0, EACCES, EACCES } },
	{ "chmod", chmod_it, 0666, { 0, 0, EPERM, EPERM } },
	{ "chown to somebody else", chown_away, 0666, { 0, EPERM, EPERM, EPERM } },
	{ "chown to who owns it", chown_same, 0666, { 0, 0, EPERM, EPERM } },
	{ "chown of nothing", chown_nothing, 0666, { 0, 0, 0, 0 } },
	{ "chown to an own group", chgrp_own, 0666, { 0, 0, EPERM, EPERM } },
	{ "chown to another group", chgrp_away, 0666, { 0, EPERM, EPERM, EPERM } },
	{ "utimensat, 0666", set_times, 0666, { 0, 0, EPERM, EPERM } },
	{ "utimensat of now, 0464", touch, 0464, { 0, 0, 0, EACCES } },
	{ "utimensat of one now, 0666", touch_one, 0666, { 0, 0, EPERM, EPERM } },
	{ "utimensat of nothing, 0000", omit_times, 0, { 0, 0, 0, 0 } },
	{ "truncate, 0460", shorten, 0460, { 0, EACCES, 0, EACCES } },
	{ "chdir, 0710", change_dir, 0710, { 0, 0, 0, EACCES } },
	{ "chroot", change_root, 0755, { 0, EPERM, EPERM, EPERM } },
	{ "mount and umount", mount_it, 0777, { 0, EPERM, EPERM, EPERM } },
	{ "umount of nothing", unmount_nothing, 0777, { EINVAL, EPERM, EPERM, EPERM } },
};

struct cell {
	const struct row *row;
	size_t who;
};

static int try_cell(void *argument)
{
	const struct cell *cell = argument;

	become(cell->who);
	return (int)-cell->row->call();
}

static void test_table(void)
{
	for (size_t i = 0; i < COUNT(table); i++) {
		for (size_t who = 0; who < 4; who++) {
			struct cell cell = { &table[i], who };
			char name[80];

			wanted = table[i].mode;
			make_files();
			if (table[i].call == rename_dir)
				sys(SYS_rename, "dir", "all/dir");
			if (table[i].call == rename_into || table[i].call == rename_onto_sticky)
				make_file("all/g", 0666);
			snprintf(name, sizeof(name), "%s: %s", table[i].name, people[who]);
			is(in_child(try_cell, &cell), EXITED(table[i].errors[who]), name);
			sys(SYS_rename, HOME "/sticky/d", HOME "/dir");
			sys(SYS_rename, HOME "/all/dir", HOME "/dir");
			remove_files();
		}
	}
}

/* ---- what new and changed files have ---- */

static int attributes_are(const char *path, unsigned mode, unsigned uid, unsigned gid)
{
	if (sys(SYS_lstat, path, &seen) != 0)
		return 1;
	if ((seen.st_mode & 07777) != mode)
		return 2;
	return seen.st_uid == uid && seen.st_gid == gid ? 0 : 3;
}

static int try_new_files(void *unused)
{
	int bad = 0;

	(void)unused;
	wanted = 0777;
	make_files();
	sys(SYS_chmod, "all", 02777);
	sys(SYS_chown, "all", 0, GROUP);
	become(3);
	sys(SYS_umask, 027);
	sys(SYS_close, sys(SYS_open, "dir/n", O_CREAT | O_RDWR, 0666));
	bad |= attributes_are("dir/n", 0640, STRANGER, NO_GROUP) ? 1 : 0;
	sys(SYS_close, sys(SYS_open, "all/n", O_CREAT | O_RDWR, 02777));
	bad |= attributes_are("all/n", 0750, STRANGER, GROUP) ? 2 : 0;
	sys(SYS_mkdir, "all/d", 0777);
	bad |= attributes_are("all/d", 02750, STRANGER, GROUP) ? 4 : 0;
	sys(SYS_symlink, "x", "all/g");
	bad |= attributes_are("all/g", 0777, STRANGER, GROUP) ? 8 : 0;
	return bad;
}

/* Check that the owner, who is not in the group, can set the set-ID bits, and when they are cleared. */
static int try_set_id_bits(void *unused)
{
	int bad = 0, file;

	(void)unused;
	wanted = 0777;
	make_files();
	become(1);
	sys(SYS_chmod, "f", 06777);
	bad |= attributes_are("f", 04777, OWNER, GROUP) ? 1 : 0;
	sys(SYS_chown, "f", -1, NO_GROUP);
	bad |= attributes_are("f", 0777, OWNER, NO_GROUP) ? 2 : 0;
	sys(SYS_chmod, "f", 06767);
	bad |= attributes_are("f", 06767, OWNER, NO_GROUP) ? 4 : 0;
	/* Without the group's right to execute this bit is not the set-group-ID bit, so it stays. */
	sys(SYS_chown, "f", OWNER, -1);
	bad |= attributes_are("f", 02767, OWNER, NO_GROUP) ? 8 : 0;
	sys(SYS_chmod, "f", 06777);
	file = (int)sys(SYS_open, "f", O_WRONLY);
	sys(SYS_write, file, "x", 1);
	bad |= attributes_are("f", 0777, OWNER, NO_GROUP) ? 16 : 0;
	sys(SYS_chmod, "f", 06777);
	sys(SYS_ftruncate, file, 0);
	bad |= attributes_are("f", 0777, OWNER, NO_GROUP) ? 32 : 0;
	return bad;
}

/* Check that access(2) tests the real user ID, and open(2) and faccessat2(2) with AT_EACCESS the one for files. */
static int try_real_ids(void *unused)
{
	int bad = 0;

	(void)unused;
	wanted = 0600;
	make_files();
	sys(SYS_setresuid, STRANGER, 0, 0);
	bad |= access_read() == -EACCES ? 0 : 1;
	bad |= sys(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS) == 0 ? 0 : 2;
	bad |= open_read() == 0 ? 0 : 4;
	sys(SYS_setresuid, -1, STRANGER, -1);
	sys(SYS_setresuid, 0, -1, -1);
	bad |= access_read() == 0 ? 0 : 8;
	bad |= open_read() == -EACCES ? 0 : 16;
	return bad;
}

/* Check that an open file can still be used, whatever its owner and mode become. */
static int try_open_file(void *unused)
{
	char byte;
	int file;

	(void)unused;
	wanted = 0600;
	make_files();
	file = (int)sys(SYS_open, "f", O_RDWR);
	become(3);
	return sys(SYS_read, file, &byte, 1) == 1 && sys(SYS_fchmod, file, 0666) == -EPERM ? 0 : 1;
}

static void test_attributes(const char *name, int (*body)(void *))
{
	is(in_child(body, NULL), EXITED(0), name);
	remove_files();
}

int main(void)
{
	mkdir("/tmp", 0777);
	remove_files();
	test_table();
	test_attributes("what new files have", try_new_files);
	test_attributes("set-ID bits", try_set_id_bits);
	test_attributes("access of the real user", try_real_ids);
	test_attributes("a file that is open", try_open_file);
	return finish();
}
