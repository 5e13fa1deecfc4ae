/*
 * System calls about resource limits; also getcpu and arch_prctl.
 */
#include "kernel/sys/user_args.h"
#include "kernel/task/process_limits.h"

/*
 * Return whether the current task may see and set the limits of a process: of its own one; with CAP_SYS_RESOURCE of
 * any; otherwise if all IDs of the process are the caller's real ones.
 */
static bool may_limit(const struct process *process)
{
	HELD_CREDENTIALS const struct credentials *theirs = NULL;

	if (process == process_current() || rights_can(CAP_SYS_RESOURCE))
		return true;
	theirs = rights_of_process(process);
	return rights_are_all_of(rights_current()->uid.real, rights_current()->gid.real, theirs);
}

SYSCALL_4(prlimit64, pid, which, from, to)
{
	HELD_PROCESS struct process *process = (int)pid ? process_find((int)pid) : process_get(process_current());
	struct process_rlimit old, new;
	int error;

	if (which >= PROCESS_LIMITS)
		return -EINVAL;
	error = args_get_if(&new, from, sizeof(new));
	if (error)
		return error;
	if (!process || process->zombie)
		return -ESRCH;
	if (!may_limit(process))
		return -EPERM;
	old = process->limits[which];
	if (from) {
		if (new.soft > new.hard)
			return -EINVAL;
		if (new.hard > old.hard && !rights_can(CAP_SYS_RESOURCE))
			return -EPERM;
		if (which == LIMIT_NOFILE && new.hard > FD_LIMIT_MAX)
			return -EPERM;
		error = process_limit_set(process, (enum process_limit)which, new);
		if (error)
			return error;
	}
	return args_put_late(to, &old, sizeof(old));
}

SYSCALL_2(getrlimit, which, to)
{
	return to ? sys_prlimit64(0, which, 0, to, 0, 0) : -EFAULT;
}

SYSCALL_2(setrlimit, which, from)
{
	return from ? sys_prlimit64(0, which, from, 0, 0, 0) : -EFAULT;
}

SYSCALL_3(getcpu, cpu, node, unused)
{
	const uint32_t zero = 0, number = this_cpu->number;
	int error = cpu ? args_put(cpu, &number, sizeof(number)) : 0;

	(void)unused;
	if (!error && node)
		error = args_put(node, &zero, sizeof(zero));
	return error;
}

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS, ARCH_GET_CPUID = 0x1011, ARCH_SET_CPUID };

SYSCALL_2(arch_prctl, request, value)
{
	uint64_t base;

	switch ((uint32_t)request) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (value >= USER_END)
			return -EPERM;
		if ((uint32_t)request == ARCH_SET_FS)
			task_set_fs_base(value);
		else
			task_set_gs_base(value);
		return 0;
	case ARCH_GET_FS:
		base = task_get_fs_base();
		return args_put(value, &base, sizeof(base));
	case ARCH_GET_GS:
		base = task_get_gs_base();
		return args_put(value, &base, sizeof(base));
	/* CPUID works for all programs, as on a CPU that cannot make it fault. */
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		return -ENODEV;
	}
	return -EINVAL;
}
