/*
 * The system calls of inotify(7), and the files of its limits in /proc/sys/fs/inotify.
 */
#include "kernel/fs/inotify.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/permission.h"
#include "kernel/sys/number_file.h"
#include "kernel/sys/proc.h"
#include "kernel/sys/user_args.h"

#define MASK_KNOWN                                                                                                \
	(IN_ALL_EVENTS | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | \
	 IN_MASK_CREATE | IN_MASK_ADD | IN_ISDIR | IN_ONESHOT)

SYSCALL_1(inotify_init1, flags)
{
	struct file *file;
	int error;

	if ((uint32_t)flags & ~(uint32_t)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	error = inotify_create(rights_current()->uid.effective, (unsigned)flags & O_NONBLOCK, &file);
	return error ? error : args_install(file, flags);
}

SYSCALL_0(inotify_init)
{
	return sys_inotify_init1(0, 0, 0, 0, 0, 0);
}

SYSCALL_3(inotify_add_watch, fd, path, mask)
{
	const unsigned lookup =
		(mask & IN_DONT_FOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW) | (mask & IN_ONLYDIR ? PATH_DIRECTORY : 0);
	HELD_FILE struct file *file = args_file_get(fd);
	struct node *node;
	int result;

	if ((uint32_t)mask & ~(uint32_t)MASK_KNOWN || !(uint32_t)mask)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if ((mask & IN_MASK_ADD && mask & IN_MASK_CREATE) || !inotify_is(file))
		return -EINVAL;
	result = user_path_lookup((uint64_t)AT_FDCWD, path, lookup, &node);
	if (result)
		return result;
	result = node_permit(node, rights_current(), ACCESS_READ);
	if (!result)
		result = inotify_add(file, node, (uint32_t)mask);
	node_put(node);
	return result;
}

SYSCALL_2(inotify_rm_watch, fd, number)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file)
		return -EBADF;
	return inotify_is(file) ? inotify_remove(file, (int)number) : -EINVAL;
}

/* ---- /proc/sys/fs/inotify ---- */

NUMBER_FILE(instances, inotify_limits.instances, INT32_MAX)
NUMBER_FILE(watches, inotify_limits.watches, INT32_MAX)
NUMBER_FILE(events, inotify_limits.events, INT32_MAX)

#define LIMIT_ENTRY(text, limit)                                                                                   \
	{                                                                                                          \
		.path = "sys/fs/inotify/" text, .mode = S_IFREG | 0644, .make = make_##limit, .take = take_##limit \
	}

void proc_inotify_init(struct text_fs_type *type)
{
	static struct text_entry entries[] = {
		LIMIT_ENTRY("max_queued_events", events),
		LIMIT_ENTRY("max_user_instances", instances),
		LIMIT_ENTRY("max_user_watches", watches),
	};

	text_fs_add(type, entries, sizeof(entries) / sizeof(entries[0]));
}
