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

/* Only check the descriptor: there is no disk to which a file system could be written. */
SYSCALL_1(syncfs, fd)
{
	HELD_FILE struct file *file = args_file_get(fd);

	return file && !(file->flags & O_PATH) ? 0 : -EBADF;
}
