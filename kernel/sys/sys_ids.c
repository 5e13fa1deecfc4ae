/*
 * System calls about user and group IDs and capabilities. There is only the user root and one group, both with ID 0.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/user_args.h"

SYSCALL_0(getuid)
{
	return 0;
}

SYSCALL_0(geteuid)
{
	return 0;
}

SYSCALL_0(getgid)
{
	return 0;
}

SYSCALL_0(getegid)
{
	return 0;
}

/* Return 0 for the ID 0, and for -1, which means "unchanged"; -EINVAL for others, as no other user exists. */
static int64_t only_root(uint64_t id)
{
	return (uint32_t)id == 0 || (uint32_t)id == UINT32_MAX ? 0 : -EINVAL;
}

SYSCALL_1(setuid, id)
{
	return (uint32_t)id ? -EINVAL : 0;
}

SYSCALL_1(setgid, id)
{
	return (uint32_t)id ? -EINVAL : 0;
}

SYSCALL_2(setreuid, real, effective)
{
	return only_root(real) | only_root(effective);
}

SYSCALL_2(setregid, real, effective)
{
	return only_root(real) | only_root(effective);
}

SYSCALL_3(setresuid, real, effective, saved)
{
	return only_root(real) | only_root(effective) | only_root(saved);
}

SYSCALL_3(setresgid, real, effective, saved)
{
	return only_root(real) | only_root(effective) | only_root(saved);
}

/* setfsuid(2) and setfsgid(2) return the previous ID, which is always 0. */
SYSCALL_0(setfsuid)
{
	return 0;
}

SYSCALL_0(setfsgid)
{
	return 0;
}

static int64_t put_root(uint64_t real, uint64_t effective, uint64_t saved)
{
	const uint32_t root = 0;

	int error = args_put(real, &root, sizeof(root));

	if (!error)
		error = args_put(effective, &root, sizeof(root));
	return error ? error : args_put(saved, &root, sizeof(root));
}

SYSCALL_3(getresuid, real, effective, saved)
{
	return put_root(real, effective, saved);
}

SYSCALL_3(getresgid, real, effective, saved)
{
	return put_root(real, effective, saved);
}

/* A process has no supplementary groups. */
SYSCALL_1(getgroups, size)
{
	return (int)size < 0 ? -EINVAL : 0;
}

SYSCALL_2(setgroups, count, from)
{
	uint32_t group = 0;
	int error;

	if (count > 1)
		return -EINVAL;
	error = count ? args_get(&group, from, sizeof(group)) : 0;
	if (error)
		return error;
	return group ? -EINVAL : 0;
}

#define CAPABILITY_VERSION 0x20080522U /* _LINUX_CAPABILITY_VERSION_3 */
#define CAPABILITIES       41          /* number of Linux's capabilities: CAP_LAST_CAP + 1 */

struct capability_header {
	uint32_t version;
	int32_t pid;
};

/* Half of the capabilities: 32 of them. */
struct capability_data {
	uint32_t effective, permitted, inheritable;
};

/*
 * Check the header of capget(2) and capset(2). Returns 0, -EFAULT, -ESRCH, -EINVAL. If the header has another version
 * than CAPABILITY_VERSION, the program asks which version the kernel has: CAPABILITY_VERSION is written into the
 * header, *ret_asked is true, and the result is -EINVAL.
 */
static int check_header(uint64_t from, bool *ret_asked)
{
	struct capability_header header;
	int error = args_get(&header, from, sizeof(header));

	if (error)
		return error;
	*ret_asked = header.version != CAPABILITY_VERSION;
	if (*ret_asked) {
		header.version = CAPABILITY_VERSION;
		error = args_put(from, &header, sizeof(header));
		return error ? error : -EINVAL;
	}
	if (header.pid < 0)
		return -EINVAL;
	return header.pid && !task_peek(header.pid) ? -ESRCH : 0;
}

SYSCALL_2(capget, header, to)
{
	const struct capability_data all[2] = {
		{ UINT32_MAX, UINT32_MAX, 0 },
		{ (1U << (CAPABILITIES - 32)) - 1, (1U << (CAPABILITIES - 32)) - 1, 0 },
	};
	bool asked;
	int error = check_header(header, &asked);

	if (error || !to)
		return error == -EINVAL && asked && !to ? 0 : error;
	return args_put(to, all, sizeof(all));
}

/* capset(2): checks its arguments and changes nothing, since no code here depends on capabilities. */
SYSCALL_2(capset, header, from)
{
	struct capability_data data[2];
	bool asked;
	int error = check_header(header, &asked);

	return error ? error : args_get(data, from, sizeof(data));
}
