/*
 * Tests the credentials with which a process acts: user and group IDs, groups, capabilities, and what prctl(2) has to
 * do with them. Runs as root; each check is made in a child that has got the credentials that the check needs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/user/tap.h"

#define SAME 0xffffffffL /* an ID that stays as it is */

/* ---- IDs ---- */

/* A call that changes IDs: the caller's IDs, the call, its result, and the IDs afterwards. */
struct change {
	const char *name;
	int before[3]; /* the real, effective and saved ID */
	long number, a, b, c;
	long result;
	int after[4]; /* the real, effective and saved ID, and the ID for files */
};

static const struct change changes[] = {
	{ "root becomes a user for good", { 0, 0, 0 }, SYS_setuid, 5, 0, 0, 0, { 5, 5, 5, 5 } },
	{ "a user stays", { 5, 5, 5 }, SYS_setuid, 0, 0, 0, -EPERM, { 5, 5, 5, 5 } },
	{ "a user becomes the saved one", { 5, 5, 6 }, SYS_setuid, 6, 0, 0, 0, { 5, 6, 6, 6 } },
	{ "a user becomes the real one", { 5, 6, 6 }, SYS_setuid, 5, 0, 0, 0, { 5, 5, 6, 5 } },
	{ "no ID", { 0, 0, 0 }, SYS_setuid, SAME, 0, 0, -EINVAL, { 0, 0, 0, 0 } },
	{ "setreuid swaps", { 5, 6, 6 }, SYS_setreuid, 6, 5, 0, 0, { 6, 5, 5, 5 } },
	{ "setreuid of the real one alone", { 5, 6, 7 }, SYS_setreuid, 6, SAME, 0, 0, { 6, 6, 6, 6 } },
	{ "not to the saved one", { 5, 6, 7 }, SYS_setreuid, 7, SAME, 0, -EPERM, { 5, 6, 7, 6 } },
	{ "setreuid of the effective one", { 5, 6, 7 }, SYS_setreuid, SAME, 7, 0, 0, { 5, 7, 7, 7 } },
	{ "to the real one, which saves nothing", { 5, 6, 7 }, SYS_setreuid, SAME, 5, 0, 0, { 5, 5, 7, 5 } },
	{ "to a stranger", { 5, 6, 7 }, SYS_setreuid, SAME, 8, 0, -EPERM, { 5, 6, 7, 6 } },
	{ "setresuid turns them round", { 5, 6, 7 }, SYS_setresuid, 7, 5, 6, 0, { 7, 5, 6, 5 } },
	{ "setresuid to a stranger", { 5, 6, 7 }, SYS_setresuid, SAME, SAME, 8, -EPERM, { 5, 6, 7, 6 } },
	{ "setresuid of one", { 0, 0, 0 }, SYS_setresuid, SAME, 9, SAME, 0, { 0, 9, 0, 9 } },
	{ "setresuid of nothing", { 5, 6, 7 }, SYS_setresuid, SAME, SAME, SAME, 0, { 5, 6, 7, 6 } },
	{ "setfsuid tells what was", { 5, 6, 7 }, SYS_setfsuid, 7, 0, 0, 6, { 5, 6, 7, 7 } },
	{ "setfsuid of a stranger", { 5, 6, 7 }, SYS_setfsuid, 8, 0, 0, 6, { 5, 6, 7, 6 } },
	{ "setfsuid of root", { 0, 0, 0 }, SYS_setfsuid, 8, 0, 0, 0, { 0, 0, 0, 8 } },
	{ "of no ID", { 0, 0, 0 }, SYS_setfsuid, SAME, 0, 0, 0, { 0, 0, 0, 0 } },
};

/* Return the call for groups that corresponds to a call for users: the same rules hold for it. */
static long for_groups(long number)
{
	return number == SYS_setuid      ? SYS_setgid
	       : number == SYS_setreuid  ? SYS_setregid
	       : number == SYS_setresuid ? SYS_setresgid
					 : SYS_setfsgid;
}

static bool groups; /* whether try_change() is about groups */

static int try_change(void *argument)
{
	const struct change *change = argument;
	const int *before = change->before;
	int ids[3], fs;

	sys(groups ? SYS_setresgid : SYS_setresuid, before[0], before[1], before[2]);
	/* A group other than root's is tested without root's rights, which would allow any change of groups. */
	if (groups && before[0])
		sys(SYS_setresuid, 1000, 1000, 1000);
	if (sys(groups ? for_groups(change->number) : change->number, change->a, change->b, change->c) !=
	    change->result)
		return 1;
	sys(groups ? SYS_getresgid : SYS_getresuid, &ids[0], &ids[1], &ids[2]);
	fs = (int)sys(groups ? SYS_setfsgid : SYS_setfsuid, SAME);
	for (int i = 0; i < 3; i++)
		if (ids[i] != change->after[i])
			return 2 + i;
	return fs == change->after[3] ? 0 : 5;
}

static void test_changes(void)
{
	for (int kind = 0; kind < 2; kind++) {
		groups = kind;
		for (size_t i = 0; i < COUNT(changes); i++)
			is(in_child(try_change, (void *)&changes[i]), EXITED(0), changes[i].name);
	}
}

/* ---- groups ---- */

static int many[65537];
static const int three[] = { 30, 10, 20 }, none[] = { -1 };

static int try_groups(void *argument)
{
	int got[8] = { 0 };

	(void)argument;
	if (sys(SYS_getgroups, 0, 0) != 0 || sys(SYS_setgroups, 3, three) != 0)
		return 1;
	if (sys(SYS_getgroups, 2, got) != -EINVAL || sys(SYS_getgroups, -1, got) != -EINVAL)
		return 2;
	if (sys(SYS_getgroups, 0, NULL) != 3 || sys(SYS_getgroups, 8, got) != 3)
		return 3;
	if (got[0] != 10 || got[1] != 20 || got[2] != 30)
		return 4;
	if (sys(SYS_setgroups, 1, none) != -EINVAL || sys(SYS_setgroups, 1, 8) != -EFAULT)
		return 5;
	if (sys(SYS_setgroups, 65537, many) != -EINVAL)
		return 6;
	for (int i = 0; i < 65536; i++)
		many[i] = (int)((unsigned)i * 40503 % 65536);
	if (sys(SYS_setgroups, 65536, many) != 0 || sys(SYS_getgroups, 65536, many) != 65536)
		return 7;
	for (int i = 0; i < 65536; i++)
		if (many[i] != i)
			return 8;
	sys(SYS_setuid, 5);
	if (sys(SYS_setgroups, 0, NULL) != -EPERM)
		return 9;
	return sys(SYS_getgroups, 0, NULL) == 65536 ? 0 : 10;
}

/* ---- capabilities ---- */

struct sets {
	unsigned long effective, permitted, inheritable;
};

#define ALL       ((1UL << 41) - 1)
#define BIT(n)    (1UL << (n))
#define CHOWN     0
#define KILL      5
#define SETUID    7
#define SETPCAP   8
#define VERSION_3 0x20080522

static long get_sets(struct sets *ret)
{
	unsigned header[2] = { VERSION_3, 0 }, data[6];
	long result = sys(SYS_capget, header, data);

	ret->effective = data[0] | (unsigned long)data[3] << 32;
	ret->permitted = data[1] | (unsigned long)data[4] << 32;
	ret->inheritable = data[2] | (unsigned long)data[5] << 32;
	return result;
}

static long set_sets(unsigned long effective, unsigned long permitted, unsigned long inheritable)
{
	unsigned header[2] = { VERSION_3, 0 };
	unsigned data[6] = { (unsigned)effective,         (unsigned)permitted,         (unsigned)inheritable,
			     (unsigned)(effective >> 32), (unsigned)(permitted >> 32), (unsigned)(inheritable >> 32) };

	return sys(SYS_capset, header, data);
}

static bool has(unsigned long effective, unsigned long permitted, unsigned long inheritable)
{
	struct sets sets;

	return get_sets(&sets) == 0 && sets.effective == effective && sets.permitted == permitted &&
	       sets.inheritable == inheritable;
}

static int try_uid_and_sets(void *argument)
{
	(void)argument;
	if (!has(ALL, ALL, 0))
		return 1;
	sys(SYS_setresuid, SAME, 5, SAME);
	if (!has(0, ALL, 0))
		return 2;
	sys(SYS_setresuid, SAME, 0, SAME);
	if (!has(ALL, ALL, 0))
		return 3;
	sys(SYS_setfsuid, 5);
	if (!has(ALL & ~(0x1fUL | BIT(9) | BIT(27) | BIT(32)), ALL, 0))
		return 4;
	sys(SYS_setfsuid, 0);
	if (!has(ALL, ALL, 0))
		return 5;
	sys(SYS_setresuid, 5, 5, 5);
	return has(0, 0, 0) ? 0 : 6;
}

static int try_keeping(void *argument)
{
	(void)argument;
	if (sys(SYS_prctl, PR_SET_KEEPCAPS, 2) != -EINVAL || sys(SYS_prctl, PR_SET_KEEPCAPS, 1) != 0)
		return 1;
	if (sys(SYS_prctl, PR_GET_KEEPCAPS) != 1)
		return 2;
	sys(SYS_setresuid, 5, 5, 5);
	if (!has(0, ALL, 0) || set_sets(BIT(SETUID), BIT(SETUID), 0) != 0)
		return 3;
	return sys(SYS_setuid, 77) == 0 && has(BIT(SETUID), BIT(SETUID), 0) ? 0 : 4;
}

static int try_capset(void *argument)
{
	unsigned header[2] = { 1, 0 };

	(void)argument;
	if (sys(SYS_capget, header, NULL) != 0 || header[0] != VERSION_3)
		return 1;
	header[0] = 1;
	if (sys(SYS_capget, header, header) != -EINVAL || header[0] != VERSION_3)
		return 2;
	if (set_sets(BIT(KILL), BIT(KILL) | BIT(SETPCAP), BIT(CHOWN)) != 0)
		return 3;
	if (set_sets(BIT(CHOWN), BIT(KILL), 0) != -EPERM || set_sets(0, BIT(CHOWN), 0) != -EPERM)
		return 4;
	/*
	 * A bit that is not permitted can stay inheritable (CHOWN), but not become so (SETUID) without an effective
	 * SETPCAP.
	 */
	if (set_sets(0, BIT(KILL), BIT(SETUID)) != -EPERM || set_sets(0, BIT(KILL), BIT(CHOWN) | BIT(KILL)) != 0)
		return 5;
	return has(0, BIT(KILL), BIT(CHOWN) | BIT(KILL)) ? 0 : 6;
}

static int try_bounds(void *argument)
{
	(void)argument;
	if (sys(SYS_prctl, PR_CAPBSET_READ, KILL) != 1 || sys(SYS_prctl, PR_CAPBSET_READ, 64) != -EINVAL)
		return 1;
	if (sys(SYS_prctl, PR_CAPBSET_DROP, KILL) != 0 || sys(SYS_prctl, PR_CAPBSET_READ, KILL) != 0)
		return 2;
	if (!has(ALL, ALL, 0) || set_sets(ALL, ALL, BIT(KILL)) != -EPERM)
		return 3;
	if (sys(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CHOWN, 0, 0) != -EPERM)
		return 4;
	if (set_sets(ALL, ALL, BIT(CHOWN)) != 0 ||
	    sys(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CHOWN, 0, 0) != 0)
		return 5;
	if (sys(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CHOWN, 0, 0) != 1 ||
	    sys(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CHOWN, 1, 0) != -EINVAL)
		return 6;
	if (set_sets(ALL, ALL, 0) != 0 || sys(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CHOWN, 0, 0) != 0)
		return 7;
	sys(SYS_setuid, 5);
	return sys(SYS_prctl, PR_CAPBSET_DROP, CHOWN) == -EPERM ? 0 : 8;
}

static int try_secure_bits(void *argument)
{
	(void)argument;
	/* Try bits of SECBIT_NO_SETUID_FIXUP and its lock. */
	if (sys(SYS_prctl, PR_SET_SECUREBITS, 1 << 8) != -EPERM || sys(SYS_prctl, PR_SET_SECUREBITS, 0xc) != 0)
		return 1;
	if (sys(SYS_prctl, PR_GET_SECUREBITS) != 0xc || sys(SYS_prctl, PR_SET_SECUREBITS, 0x8) != -EPERM)
		return 2;
	sys(SYS_setuid, 5);
	return has(ALL, ALL, 0) ? 0 : 3;
}

/* ---- other requests of prctl ---- */

static int try_prctl(void *argument)
{
	int number = -1;

	(void)argument;
	if (sys(SYS_prctl, PR_GET_DUMPABLE) != 1 || sys(SYS_prctl, PR_SET_DUMPABLE, 2) != -EINVAL)
		return 1;
	if (sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) != -EINVAL ||
	    sys(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		return 2;
	if (sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || sys(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 3;
	if (sys(SYS_prctl, PR_SET_PDEATHSIG, 65) != -EINVAL || sys(SYS_prctl, PR_SET_PDEATHSIG, SIGUSR1) != 0)
		return 4;
	if (sys(SYS_prctl, PR_GET_PDEATHSIG, &number) != 0 || number != SIGUSR1)
		return 5;
	sys(SYS_setuid, 5);
	if (sys(SYS_prctl, PR_GET_DUMPABLE) != 0 || sys(SYS_prctl, PR_GET_PDEATHSIG, &number) != 0 || number != 0)
		return 6;
	return sys(SYS_prctl, PR_SET_DUMPABLE, 1) == 0 && sys(SYS_prctl, PR_GET_DUMPABLE) == 1 ? 0 : 7;
}

/* ---- /proc/self/status ---- */

static int try_status(void *argument)
{
	static const char *const lines[] = {
		"\nUid:\t5\t6\t7\t6\n",          "\nGid:\t1\t2\t3\t2\n",          "\nGroups:\t8 9 \n",
		"\nCapEff:\t0000000000000000\n", "\nCapBnd:\t000001ffffffffff\n", "\nNoNewPrivs:\t1\n"
	};
	static const int two[] = { 9, 8 };
	static char text[8192];
	int file = (int)sys(SYS_open, "/proc/self/status", O_RDONLY);
	long size;

	(void)argument;
	sys(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sys(SYS_setgroups, 2, two);
	sys(SYS_setresgid, 1, 2, 3);
	sys(SYS_setresuid, 5, 6, 7);
	size = sys(SYS_read, file, text, sizeof(text) - 1);
	if (size <= 0)
		return 1;
	text[size] = '\0';
	for (size_t i = 0; i < COUNT(lines); i++)
		if (!strstr(text, lines[i]))
			return 2 + (int)i;
	return 0;
}

/*
 * Read status with as many groups as there may be, which takes several reads: each group must appear once and in order.
 */
static int try_many_groups(void *argument)
{
	int file = (int)sys(SYS_open, "/proc/self/status", O_RDONLY);
	static char text[1 << 19];
	size_t filled = 0;
	char *at;
	long size;

	(void)argument;
	for (int i = 0; i < 65536; i++)
		many[i] = i;
	if (sys(SYS_setgroups, 65536, many) != 0)
		return 1;
	while ((size = sys(SYS_read, file, text + filled, 1000)) > 0 && filled + 2000 < sizeof(text))
		filled += (size_t)size;
	at = strstr(text, "\nGroups:\t");
	if (size || !at)
		return 2;
	at += 9;
	for (long i = 0; i < 65536; i++)
		if (strtol(at, &at, 10) != i)
			return 3;
	if (strncmp(at, " \n", 2) != 0 || strstr(at, "\nGroups:"))
		return 4;
	return strstr(at, "\nSeccomp:\t0\n") ? 0 : 5;
}

/* ---- RLIMIT_NPROC ---- */

/* Check that a user cannot have one child more than the limit, and that root, with the same limit, can. */
static int try_limit(void *argument)
{
	const struct rlimit two = { 2, 2 };
	int first, second, ends[2];
	char byte;

	if (pipe(ends) != 0)
		return 1;
	sys(SYS_setrlimit, RLIMIT_NPROC, &two);
	if (argument)
		sys(SYS_setuid, 1234);
	first = (int)sys(SYS_fork);
	if (!first) {
		close(ends[1]);
		sys(SYS_read, ends[0], &byte, 1);
		_exit(0);
	}
	second = (int)sys(SYS_fork);
	if (!second)
		_exit(0);
	if (first < 0)
		return 2;
	return second == (argument ? -EAGAIN : second > 0 ? second : -1) ? 0 : 3;
}

int main(void)
{
	test_changes();
	is(in_child(try_groups, NULL), EXITED(0), "groups");
	is(in_child(try_uid_and_sets, NULL), EXITED(0), "capabilities follow the user");
	is(in_child(try_keeping, NULL), EXITED(0), "or stay, if that is wanted");
	is(in_child(try_capset, NULL), EXITED(0), "capset");
	is(in_child(try_bounds, NULL), EXITED(0), "the bounding and the ambient set");
	is(in_child(try_secure_bits, NULL), EXITED(0), "secure bits");
	is(in_child(try_prctl, NULL), EXITED(0), "prctl");
	mkdir("/proc", 0555);
	is(mount("proc", "/proc", "proc", 0, NULL), 0, "mount /proc");
	is(in_child(try_status, NULL), EXITED(0), "/proc/self/status");
	is(in_child(try_many_groups, NULL), EXITED(0), "with 65536 groups");
	umount("/proc");
	is(in_child(try_limit, (void *)1), EXITED(0), "a user's RLIMIT_NPROC");
	is(in_child(try_limit, NULL), EXITED(0), "root has none");
	return finish();
}
