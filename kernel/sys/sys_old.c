/*
 * Old system calls about file systems and terminals: sysfs(2), in whose place programs read /proc/filesystems;
 * ustat(2), in whose place they call statfs(2); vhangup(2).
 */
#include "kernel/fs/mount.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/job_control.h"

enum sysfs_option { SYSFS_NUMBER = 1, SYSFS_NAME, SYSFS_COUNT };

static int64_t number_of_type(uint64_t from)
{
	char *name;
	int64_t result = args_path(from, &name);

	if (result)
		return result == -ENAMETOOLONG ? -EINVAL : result;
	result = mount_type_number(name);
	kfree(name);
	return result;
}

static int64_t name_of_type(uint64_t number, uint64_t to)
{
	const char *name = mount_type_name((uint32_t)number);

	return name ? args_put(to, name, strlen(name) + 1) : -EINVAL;
}

static int64_t count_types(void)
{
	int64_t count = 0;

	while (mount_type_name((size_t)count))
		count++;
	return count;
}

/* sysfs(2): asks for the list of the kinds of file systems, and has nothing to do with what is mounted at /sys. */
SYSCALL_3(sysfs, option, a, b)
{
	switch ((int)option) {
	case SYSFS_NUMBER:
		return number_of_type(a);
	case SYSFS_NAME:
		return name_of_type(a, b);
	case SYSFS_COUNT:
		return count_types();
	}
	return -EINVAL;
}

/* Linux's struct ustat. Its names stay empty, as on Linux. */
struct linux_ustat {
	int32_t free_blocks;
	uint64_t free_nodes;
	char name[6], pack[6];
};

_Static_assert(sizeof(struct linux_ustat) == 32, "Linux's struct ustat");

/* ustat(2): `device` is the number that stat(2) tells of a file, in 32 bits. */
SYSCALL_2(ustat, device, to)
{
	struct mount *mount;
	struct linux_statfs stat;
	struct linux_ustat answer;
	uint64_t number = 0;

	do {
		mount = mount_find_device((uint32_t)device, &number);
	} while (!mount && number && !task_give_way());
	if (!mount)
		return -EINVAL;
	node_statfs(&(struct place){ mount, mount->root }, &stat);
	memset(&answer, 0, sizeof(answer));
	answer.free_blocks = (int32_t)stat.bfree;
	answer.free_nodes = stat.ffree;
	return args_put(to, &answer, sizeof(answer));
}

SYSCALL_0(vhangup)
{
	if (!rights_can(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	job_control_hang_up();
	return 0;
}
