/*
 * The host's own structures, for test_fs_layout.c, whose kernel headers have the same names.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <termios.h>

#include "test/host/linux_layout.h"

const size_t linux_layout[] = {
	sizeof(struct stat),
	offsetof(struct stat, st_nlink),
	offsetof(struct stat, st_mode),
	offsetof(struct stat, st_gid),
	offsetof(struct stat, st_rdev),
	offsetof(struct stat, st_size),
	offsetof(struct stat, st_blocks),
	offsetof(struct stat, st_mtim),
	offsetof(struct stat, st_ctim),
	sizeof(struct statx),
	offsetof(struct statx, stx_mode),
	offsetof(struct statx, stx_ino),
	offsetof(struct statx, stx_attributes_mask),
	offsetof(struct statx, stx_btime),
	offsetof(struct statx, stx_mtime),
	offsetof(struct statx, stx_rdev_major),
	offsetof(struct statx, stx_dev_minor),
	sizeof(struct statfs),
	offsetof(struct statfs, f_bavail),
	offsetof(struct statfs, f_namelen),
	offsetof(struct statfs, f_flags),
	offsetof(struct dirent, d_name),
	offsetof(struct dirent, d_off),
	sizeof(struct winsize),
	O_CREAT | O_EXCL,
	O_TRUNC | O_APPEND,
	O_NONBLOCK,
	O_DIRECTORY,
	O_NOFOLLOW,
	O_CLOEXEC,
	O_PATH,
	O_DIRECT,
	POLLHUP,
	AT_EMPTY_PATH,
	TIOCGWINSZ,
	TIOCSPGRP,
	FIONREAD,
	TCFLSH,
	VSUSP,
	VEOL2,
	ICRNL | IXON,
	ONLCR,
	ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
};
const size_t linux_layout_count = sizeof(linux_layout) / sizeof(linux_layout[0]);

unsigned long linux_makedev(unsigned major, unsigned minor)
{
	return makedev(major, minor);
}
