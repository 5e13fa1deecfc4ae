/*
 * System calls for features that this kernel does not have, and calls that only give advice. They return the same as on
 * a Linux that was built without the feature.
 */
#include "kernel/sys/user_args.h"

/*
 * These calls do not exist here, and C libraries work without them. They have functions only because sys_missing()
 * would log them.
 */
SYSCALL_0(membarrier)
{
	return -ENOSYS;
}

SYSCALL_0(rseq)
{
	return -ENOSYS;
}

/* Memory for a file cannot be allocated in advance: C libraries write zeros when this call fails. */
SYSCALL_4(fallocate, fd, mode, offset, size)
{
	HELD_FILE struct file *file = args_file_get(fd);

	(void)mode;
	if (!file || file->flags & O_PATH)
		return -EBADF;
	return (int64_t)offset < 0 || (int64_t)size <= 0 ? -EINVAL : -EOPNOTSUPP;
}

/*
 * Check the descriptor and do nothing else, for calls that write to disk or give advice: there is no disk. Returns 0,
 * -EBADF.
 */
static int64_t heard(uint64_t fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file && !(file->flags & O_PATH) ? 0 : -EBADF;
}

SYSCALL_1(syncfs, fd)
{
	return heard(fd);
}

SYSCALL_1(sync_file_range, fd)
{
	return heard(fd);
}

SYSCALL_1(readahead, fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	if (!file || !file_reads(file))
		return -EBADF;
	return node_is(file->node, S_IFREG) || node_is(file->node, S_IFBLK) ? 0 : -EINVAL;
}

#define ADVICE_LAST 5 /* POSIX_FADV_NOREUSE */

SYSCALL_4(fadvise64, fd, offset, size, advice)
{
	HELD_FILE struct file *file = args_file_get(fd);

	(void)offset;
	if (file && node_is(file->node, S_IFIFO))
		return -ESPIPE;
	if ((int)advice < 0 || (int)advice > ADVICE_LAST || size > INT64_MAX)
		return -EINVAL;
	return heard(fd);
}
