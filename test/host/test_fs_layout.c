/*
 * What programs get is laid out as on the Linux that this test runs on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/fs/linux_file.h"
#include "kernel/fs/linux_stat.h"
#include "kernel/fs/linux_termios.h"
#include "test/host/linux_layout.h"

static const size_t ours[] = {
	sizeof(struct linux_stat),
	offsetof(struct linux_stat, nlink),
	offsetof(struct linux_stat, mode),
	offsetof(struct linux_stat, gid),
	offsetof(struct linux_stat, rdev),
	offsetof(struct linux_stat, size),
	offsetof(struct linux_stat, blocks),
	offsetof(struct linux_stat, mtime),
	offsetof(struct linux_stat, ctime),
	sizeof(struct linux_statx),
	offsetof(struct linux_statx, mode),
	offsetof(struct linux_statx, ino),
	offsetof(struct linux_statx, attributes_mask),
	offsetof(struct linux_statx, btime),
	offsetof(struct linux_statx, mtime),
	offsetof(struct linux_statx, rdev_major),
	offsetof(struct linux_statx, dev_minor),
	sizeof(struct linux_statfs),
	offsetof(struct linux_statfs, bavail),
	offsetof(struct linux_statfs, namelen),
	offsetof(struct linux_statfs, flags),
	sizeof(struct linux_dirent64),
	offsetof(struct linux_dirent64, off),
	sizeof(struct linux_winsize),
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

static void layouts_are_linuxs(void **state)
{
	(void)state;
	assert_int_equal(sizeof(ours) / sizeof(ours[0]), linux_layout_count);
	for (size_t i = 0; i < linux_layout_count; i++)
		if (ours[i] != linux_layout[i])
			fail_msg("entry %zu: %#zx, on Linux %#zx", i, ours[i], linux_layout[i]);
	assert_int_equal(DEVICE_NUMBER(5, 1), linux_makedev(5, 1));
	assert_int_equal(DEVICE_NUMBER(0xabc, 0x12345), linux_makedev(0xabc, 0x12345));
	assert_int_equal(DEVICE_MAJOR(DEVICE_NUMBER(0xabc, 0x12345)), 0xabc);
	assert_int_equal(DEVICE_MINOR(DEVICE_NUMBER(0xabc, 0x12345)), 0x12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(layouts_are_linuxs) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
