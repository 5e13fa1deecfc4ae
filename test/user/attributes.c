/*
 * Tests the extended attributes of a tmpfs: namespaces, sizes, errors; and the capabilities that they give to programs.
 * Runs as root, and executes itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define DIR     "/tmp/attributes"
#define FILE_A  DIR "/a"
#define LINK    DIR "/l"
#define PROGRAM DIR "/program"
#define USER    1000
#define CREATE  1 /* flags of setxattr(2) */
#define REPLACE 2
#define MOST    65536

#define CAP_CHOWN       (1U << 0)
#define CAP_NET_RAW     (1U << 13)
#define CAP_NET_RAW_BIT 13
#define CAPABILITY      "security.capability"

/* The value of security.capability in revision 2; revision 3 adds `root`. */
struct value {
	uint32_t magic, permitted, inheritable, permitted_high, inheritable_high, root;
};

static char large[MOST + 1], names[MOST];

static long set(const char *name, const void *value, size_t size, int flags)
{
	return sys(SYS_setxattr, FILE_A, name, value, size, flags);
}

static long get(const char *name, void *to, size_t size)
{
	return sys(SYS_getxattr, FILE_A, name, to, size);
}

/* Return the names of the file's attributes, with a comma behind each. */
static const char *listed(void)
{
	long size = sys(SYS_listxattr, FILE_A, names, sizeof(names) - 1);

	for (long i = 0; i < size; i++)
		if (!names[i])
			names[i] = ',';
	names[size < 0 ? 0 : size] = '\0';
	return names;
}

static void test_values(void)
{
	char text[16] = "";

	is(set("trusted.one", "value", 5, 0), 0, "setxattr");
	is(get("trusted.one", text, sizeof(text)), 5, "getxattr");
	is_text(text, "value", "gets what was set");
	is(get("trusted.one", NULL, 0), 5, "with no buffer only the size");
	is(get("trusted.one", text, 4), -ERANGE, "a buffer that is too small");
	is(get("trusted.two", text, sizeof(text)), -ENODATA, "a name that is not there");
	is(set("trusted.one", "v", 1, CREATE), -EEXIST, "XATTR_CREATE of one that is");
	is(set("trusted.two", "v", 1, REPLACE), -ENODATA, "XATTR_REPLACE of one that is not");
	is(set("trusted.one", "other", 5, REPLACE), 0, "XATTR_REPLACE");
	is(set("trusted.two", "", 0, CREATE), 0, "an empty value");
	is(get("trusted.two", text, sizeof(text)), 0, "is there");
	is(set("security.test", "x", 1, 0), 0, "the namespace security");
	is_text(listed(), "security.test,trusted.two,trusted.one,", "listxattr, the newest first");
	is(sys(SYS_listxattr, FILE_A, NULL, 0), 38, "with no buffer the size");
	is(sys(SYS_listxattr, FILE_A, names, 37), -ERANGE, "a buffer that is too small for it");
	is(sys(SYS_removexattr, FILE_A, "trusted.two"), 0, "removexattr");
	is(sys(SYS_removexattr, FILE_A, "trusted.two"), -ENODATA, "of what is gone");
	is_text(listed(), "security.test,trusted.one,", "two are left");
	is(set("trusted.one", large, MOST, 0), 0, "the largest value");
	is(get("trusted.one", large, MOST), MOST, "is there");
	is(set("trusted.one", large, MOST + 1, 0), -E2BIG, "one byte more");
}

static void test_errors(void)
{
	char name[300];

	is(set("trusted.x", "x", 1, 4), -EINVAL, "an unknown flag");
	is(set("", "x", 1, 0), -ERANGE, "no name");
	memset(name, 'n', sizeof(name));
	memcpy(name, "trusted.", 8);
	name[256] = '\0';
	is(set(name, "x", 1, 0), -ERANGE, "a name of 256 bytes");
	name[255] = '\0';
	is(set(name, "x", 1, 0), 0, "of 255");
	is(sys(SYS_removexattr, FILE_A, name), 0, "is one");
	is(set("trusted.", "x", 1, 0), -EINVAL, "nothing behind the namespace");
	is(set("trusted.x", (void *)-4096L, 1, 0), -EFAULT, "a value from nowhere");
	is(set((void *)-4096L, "x", 1, 0), -EFAULT, "a name from nowhere");
	is(set("user.x", "x", 1, 0), -EOPNOTSUPP, "tmpfs has no user attributes");
	is(get("user.x", NULL, 0), -EOPNOTSUPP, "to read");
	is(sys(SYS_removexattr, FILE_A, "user.x"), -EOPNOTSUPP, "or to remove");
	is(set("other.x", "x", 1, 0), -EOPNOTSUPP, "nor of other namespaces");
	is(sys(SYS_setxattr, DIR "/none", "trusted.x", "x", 1, 0), -ENOENT, "no such file");
	is(sys(SYS_lsetxattr, LINK, "user.x", "x", 1, 0), -EPERM, "user attributes of a link");
	is(sys(SYS_lgetxattr, LINK, "user.x", NULL, 0), -ENODATA, "cannot be there");
}

static void test_ways(void)
{
	int fd = open(FILE_A, O_RDONLY), path = open(FILE_A, O_PATH), pipe[2];
	char text[8] = "";

	is(sys(SYS_setxattr, LINK, "trusted.way", "a", 1, 0), 0, "a link is followed");
	is(sys(SYS_lsetxattr, LINK, "trusted.way", "l", 1, 0), 0, "or not");
	is(sys(SYS_lgetxattr, LINK, "trusted.way", text, 8), 1, "lgetxattr");
	is(text[0], 'l', "of the link");
	is(sys(SYS_fgetxattr, fd, "trusted.way", text, 8), 1, "fgetxattr");
	is(text[0], 'a', "of the file");
	is(sys(SYS_fsetxattr, fd, "trusted.way", "f", 1, REPLACE), 0, "fsetxattr of a file that is open for reading");
	is(sys(SYS_getxattr, LINK, "trusted.way", text, 8), 1, "getxattr");
	is(text[0], 'f', "through the link");
	is(sys(SYS_llistxattr, LINK, names, sizeof(names)), 12, "llistxattr");
	is(sys(SYS_fremovexattr, fd, "trusted.way"), 0, "fremovexattr");
	is(sys(SYS_lremovexattr, LINK, "trusted.way"), 0, "lremovexattr");
	is(sys(SYS_llistxattr, LINK, names, sizeof(names)), 0, "and there are none");
	is(sys(SYS_fgetxattr, path, "trusted.way", text, 8), -EBADF, "not by O_PATH");
	is(sys(SYS_flistxattr, -1, names, 8), -EBADF, "nor by no descriptor");
	if (pipe2(pipe, 0))
		bail("pipe2", errno);
	is(sys(SYS_fsetxattr, pipe[0], "trusted.way", "x", 1, 0), -EOPNOTSUPP, "a pipe has none");
	is(sys(SYS_flistxattr, pipe[0], names, 8), 0, "to list");
	close(pipe[0]);
	close(pipe[1]);
	close(path);
	close(fd);
}

static int as_user(void *unused)
{
	const struct value value = { 0x02000000, CAP_NET_RAW, 0, 0, 0, 0 };

	(void)unused;
	sys(SYS_setresuid, USER, USER, USER);
	if (get("trusted.one", NULL, 0) != -ENODATA)
		return 1;
	if (set("trusted.one", "x", 1, 0) != -EPERM)
		return 2;
	if (get("security.test", NULL, 0) != 1)
		return 4;
	if (set(CAPABILITY, &value, 20, 0) != -EPERM)
		return 5;
	if (strcmp(listed(), "security.test,") != 0)
		return 6;
	if (set("user.x", "x", 1, 0) != -EACCES)
		return 8;
	return 0;
}

/* ---- capabilities of files ---- */

static struct value give(uint32_t permitted, uint32_t inheritable, bool effective)
{
	struct value value = { 0x02000000 | effective, permitted, inheritable, 0, 0, 0 };

	if (sys(SYS_setxattr, PROGRAM, CAPABILITY, &value, 20, 0))
		bail("security.capability", 0);
	return value;
}

struct run {
	int uid;
	bool no_new_rights, drop_bounding, inherit, ambient;
};

/*
 * Get the calling task's effective, permitted and inheritable capabilities; if `change`, then set the inheritable ones.
 */
static void get_capabilities(uint32_t ret[3], bool change, uint32_t inheritable)
{
	uint32_t header[2] = { 0x20080522, 0 }, data[6] = { 0 };

	sys(SYS_capget, header, data);
	memcpy(ret, data, 3 * sizeof(data[0]));
	if (!change)
		return;
	data[2] = inheritable;
	sys(SYS_capset, header, data);
}

/*
 * Execute PROGRAM. It exits with a sum of 1 (CAP_NET_RAW is permitted), 2 (it is effective) and 4 (AT_SECURE is set).
 * Returns 100 when execve fails.
 */
static int run_program(void *argument)
{
	const struct run *run = argument;
	char *const words[] = { PROGRAM, "show", NULL };
	uint32_t sets[3];

	if (run->drop_bounding)
		prctl(PR_CAPBSET_DROP, CAP_NET_RAW_BIT);
	if (run->ambient)
		prctl(PR_SET_KEEPCAPS, 1);
	if (run->inherit || run->ambient)
		get_capabilities(sets, true, CAP_NET_RAW);
	sys(SYS_setresgid, run->uid, run->uid, run->uid);
	sys(SYS_setresuid, run->uid, run->uid, run->uid);
	if (run->ambient)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW_BIT, 0, 0);
	if (run->no_new_rights)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	execv(PROGRAM, words);
	return errno == EPERM ? 100 : 101;
}

extern unsigned long getauxval(unsigned long type);

static int show(void)
{
	uint32_t sets[3];

	get_capabilities(sets, false, 0);
	return (sets[1] & CAP_NET_RAW ? 1 : 0) | (sets[0] & CAP_NET_RAW ? 2 : 0) | (getauxval(23) ? 4 : 0);
}

static void check_run(struct run run, int expected, const char *name)
{
	is(in_child(run_program, &run), EXITED(expected), name);
}

static void test_programs(void)
{
	const struct run user = { .uid = USER };

	check_run(user, 0, "a program without capabilities gives none");
	give(CAP_NET_RAW, 0, true);
	check_run(user, 7, "permitted and effective");
	check_run((struct run){ .uid = USER, .no_new_rights = true }, 4, "nothing with PR_SET_NO_NEW_PRIVS");
	check_run((struct run){ .uid = USER, .drop_bounding = true }, 100, "none that the bounding set lacks: no exec");
	give(CAP_NET_RAW, 0, false);
	check_run(user, 5, "permitted only");
	check_run((struct run){ .uid = USER, .drop_bounding = true }, 0, "or not at all");
	give(0, CAP_NET_RAW, true);
	check_run(user, 4, "inheritable, and nobody has it");
	check_run((struct run){ .uid = USER, .inherit = true }, 7, "or somebody has");
	give(CAP_CHOWN, 0, true);
	check_run((struct run){ .uid = USER, .ambient = true }, 4, "they cancel the ambient ones");
	sys(SYS_removexattr, PROGRAM, CAPABILITY);
	check_run((struct run){ .uid = USER, .ambient = true }, 3, "which last without them");
	give(CAP_NET_RAW, 0, true);
	check_run((struct run){ .uid = 0 }, 3, "root has all anyway");
	is(mount("none", DIR, NULL, MS_REMOUNT | MS_NOSUID, NULL), 0, "nosuid");
	check_run(user, 0, "is against them");
	is(mount("none", DIR, NULL, MS_REMOUNT, NULL), 0, "suid");
	check_run(user, 7, "is not");
	chmod(PROGRAM, 04755);
	give(CAP_CHOWN, 0, false);
	check_run(user, 4, "of a set-user-ID program of root they are all that it gets");
	chmod(PROGRAM, 0755);
}

static long capabilities_size(void)
{
	return sys(SYS_getxattr, PROGRAM, CAPABILITY, NULL, 0);
}

static void test_format(void)
{
	struct value value = give(CAP_NET_RAW, 0, true);
	struct stat stat_of;

	is(capabilities_size(), 20, "a value has 20 bytes");
	is(sys(SYS_setxattr, PROGRAM, CAPABILITY, &value, 19, 0), -EINVAL, "not 19");
	is(sys(SYS_setxattr, PROGRAM, CAPABILITY, &value, 24, 0), -EINVAL, "24 only in revision 3");
	value.magic = 0x03000001;
	is(sys(SYS_setxattr, PROGRAM, CAPABILITY, &value, 24, 0), 0, "in which it may name a root");
	is(capabilities_size(), 20, "and this system's is left out");
	value.root = 5;
	is(sys(SYS_setxattr, PROGRAM, CAPABILITY, &value, 24, 0), 0, "another one");
	is(capabilities_size(), 24, "is kept");
	check_run((struct run){ .uid = USER }, 0, "and counts elsewhere");
	is(stat(PROGRAM, &stat_of), 0, "stat");
	is(stat_of.st_mode, S_IFREG | 0755, "shows nothing of them");
}

static void test_loss(void)
{
	int fd;

	give(CAP_NET_RAW, 0, true);
	chmod(PROGRAM, 0700);
	chmod(PROGRAM, 0755);
	is(capabilities_size(), 20, "chmod keeps them");
	chown(PROGRAM, 0, 0);
	is(capabilities_size(), -ENODATA, "chown drops them");
	give(CAP_NET_RAW, 0, true);
	fd = open(PROGRAM, O_WRONLY | O_APPEND);
	is(capabilities_size(), 20, "an open for writing keeps them");
	is(write(fd, "", 1), 1, "a write");
	is(capabilities_size(), -ENODATA, "drops them");
	give(CAP_NET_RAW, 0, true);
	is(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0, "a change of the size");
	is(capabilities_size(), -ENODATA, "drops them, too");
	close(fd);
}

static void copy_self(const char *self)
{
	int from = open(self, O_RDONLY), to = open(PROGRAM, O_CREAT | O_WRONLY, 0755);
	static char bytes[65536];
	long size;

	while ((size = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)size) != size)
			bail("a copy of the program", errno);
	close(from);
	close(to);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "show"))
		return show();
	umask(022);
	if (mkdir(DIR, 0755) || mount("none", DIR, "tmpfs", 0, NULL))
		bail("a tmpfs", errno);
	close(open(FILE_A, O_CREAT | O_WRONLY, 0644));
	symlink("a", LINK);
	test_values();
	test_errors();
	test_ways();
	is(in_child(as_user, NULL), EXITED(0), "what a user may do");
	copy_self(argv[0]);
	test_programs();
	test_format();
	test_loss();
	is(umount(DIR), 0, "the tmpfs goes with all attributes");
	rmdir(DIR);
	return finish();
}
