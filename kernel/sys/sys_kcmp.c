/*
 * kcmp(2): tells whether two processes share a file, memory, descriptors or the like.
 */
#include "kernel/lib/random.h"
#include "kernel/sys/user_args.h"

enum kcmp_type { KCMP_FILE, KCMP_VM, KCMP_FILES, KCMP_FS, KCMP_SIGHAND, KCMP_IO, KCMP_SYSVSEM, KCMP_TYPES };

/*
 * Return 0 if the addresses are the same; otherwise 1 or 2, which give an order of all addresses. The order is that of
 * numbers which hide the addresses, since those are the kernel's.
 */
static int64_t compare(const void *a, const void *b)
{
	static uint64_t key[2]; /* guard: tasks only, which the kernel does not preempt */
	uint64_t left, right;

	if (!key[1])
		random_bytes(key, sizeof(key));
	key[1] |= 1;
	left = ((uintptr_t)a ^ key[0]) * key[1];
	right = ((uintptr_t)b ^ key[0]) * key[1];
	return left == right ? 0 : left < right ? 1 : 2;
}

/* Compare two open files by their descriptors. Returns as compare(); -EBADF. */
static int64_t compare_files(const struct process *a, uint64_t fd_a, const struct process *b, uint64_t fd_b)
{
	HELD_FDS struct fd_table *fds_a = process_get_fds(a), *fds_b = process_get_fds(b);
	const struct file *file_a = fds_a ? fd_file_peek(fds_a, (int)fd_a) : NULL;
	const struct file *file_b = fds_b ? fd_file_peek(fds_b, (int)fd_b) : NULL;

	return file_a && file_b ? compare(file_a, file_b) : -EBADF;
}

/* Do kcmp(2) for two processes that the caller may look into. */
static int64_t compare_parts(uint32_t type, const struct process *a, uint64_t of_a, const struct process *b,
			     uint64_t of_b)
{
	switch (type) {
	case KCMP_FILE:
		return compare_files(a, of_a, b, of_b);
	case KCMP_VM:
		return compare(a->space, b->space);
	case KCMP_FILES:
		return compare(a->fds, b->fds);
	case KCMP_FS:
		return compare(&a->paths, &b->paths);
	case KCMP_SIGHAND:
		return compare(&a->signals, &b->signals);
	/* All are the same, since no process has a context of I/O, as on Linux none has before it needs one. */
	case KCMP_IO:
		return compare(NULL, NULL);
	case KCMP_SYSVSEM:
		return compare(a->undos, b->undos);
	}
	return -EINVAL;
}

SYSCALL_5(kcmp, pid_a, pid_b, type, of_a, of_b)
{
	HELD_TASK struct task *a = task_find((int)pid_a), *b = task_find((int)pid_b);

	if (!a || !b || !a->process || !b->process)
		return -ESRCH;
	if (!rights_may_trace(a->process) || !rights_may_trace(b->process))
		return -EPERM;
	return compare_parts((uint32_t)type, a->process, of_a, b->process, of_b);
}
