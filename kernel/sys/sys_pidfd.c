/*
 * System calls of files that stand for a process (pidfds); and clone(2), clone3(2), which can make such a file.
 */
#include "kernel/fs/anonymous.h"
#include "kernel/fs/text.h"
#include "kernel/sys/pidfd.h"
#include "kernel/sys/proc_node.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/clone.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal_numbers.h"

#define CLONE_ARGUMENTS_LEAST 64 /* bytes of the first struct clone_args that Linux had */

/* ---- the file ---- */

static bool has_ended(const struct process *process)
{
	return process->zombie || !process->fds;
}

static unsigned pidfd_poll(struct file *file)
{
	return has_ended(file->data) ? POLLIN | POLLRDNORM : 0;
}

static struct wait_queue *pidfd_queue(struct file *file)
{
	struct process *process = file->data;

	return &process->signals.ended;
}

static void pidfd_release(struct file *file)
{
	process_put(file->data);
}

/* As on Linux the number of a process that has been waited for is shown as -1. */
static void pidfd_info(struct file *file, struct text *ret)
{
	const struct process *process = file->data;
	const int pid = process_peek(process->pid) == process ? process->pid : -1;

	text_add(ret, "Pid:\t%d\n", pid);
}

static const struct file_ops pidfd_ops = {
	.poll = pidfd_poll, .queue = pidfd_queue, .info = pidfd_info, .release = pidfd_release
};

int pidfd_create(struct process *process, unsigned flags, struct file **ret)
{
	int error = anonymous_file_create("[pidfd]", &pidfd_ops, process, flags, ret);

	if (!error)
		(void)process_get(process);
	return error;
}

struct process *pidfd_process(const struct file *file)
{
	return file && file->ops == &pidfd_ops ? file->data : NULL;
}

/* ---- pidfd_open(2) and its kin ---- */

SYSCALL_2(pidfd_open, pid, flags)
{
	HELD_PROCESS struct process *process = NULL;
	struct file *file;
	int error;

	if ((uint32_t)flags & ~(uint32_t)O_NONBLOCK || (int)pid <= 0)
		return -EINVAL;
	process = process_find((int)pid);
	if (!process)
		return task_peek((int)pid) ? -EINVAL : -ESRCH;
	error = pidfd_create(process, (unsigned)flags, &file);
	return error ? error : args_install(file, O_CLOEXEC);
}

SYSCALL_4(pidfd_send_signal, fd, signal, from, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	/* An open directory /proc/PID stands for the process as well as a pidfd does. */
	HELD_PROCESS struct process *shown = file ? proc_directory_process(file) : NULL;
	struct process *process = shown ? shown : pidfd_process(file);
	struct signal_info info = { .code = SI_USER };
	int error = flags ? -EINVAL : !process ? -EBADF : args_get_if(&info, from, sizeof(info));

	if (error)
		return error;
	if ((uint32_t)signal > SIGNALS || (from && info.signal != (int)signal))
		return -EINVAL;
	/* As with rt_sigqueueinfo(2): nobody may pretend that the kernel, or kill(2), has sent a signal to others. */
	if (from && process != process_current() && (info.code >= 0 || info.code == SI_TKILL))
		return -EPERM;
	if (!from)
		info.sender.pid = process_current()->pid;
	if (!from)
		info.sender.uid = rights_current()->uid.real;
	if (!process->fds && !process->zombie)
		return -ESRCH;
	if (process_peek(process->pid) != process)
		return -ESRCH;
	if (process != process_current() && !rights_may_signal_process(process, (int)signal))
		return -EPERM;
	return signal ? signal_send_process(process, (int)signal, &info) : 0;
}

SYSCALL_3(pidfd_getfd, fd, number, flags)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct process *process = pidfd_process(file);
	HELD_FDS struct fd_table *fds = NULL;
	struct file *found;

	if (flags)
		return -EINVAL;
	if (!process)
		return -EBADF;
	fds = process_get_fds(process);
	if (!fds)
		return -ESRCH;
	if (!rights_may_look(process))
		return -EPERM;
	found = fd_file_get(fds, (int)number);
	return found ? args_install(found, O_CLOEXEC) : -EBADF;
}

/* ---- clone(2) ---- */

/*
 * Clone, and make a pidfd of the child, whose number goes to the user address `pidfd_at`. There must be room for a
 * descriptor, and the file is made before the child is, so that little can fail afterwards.
 */
static int64_t clone_with_pidfd(const struct clone_arguments *arguments, uint64_t pidfd_at)
{
	static const int32_t none = -1;
	struct clone_arguments without = *arguments;
	struct process *child = NULL;
	struct file *file;
	int64_t result, number;

	if (arguments->flags & (CLONE_THREAD | CLONE_DETACHED))
		return -EINVAL;
	if (!fd_has_room(process_current()->fds))
		return -EMFILE;
	/* As on Linux an address that cannot be written to is an error, which is found before there is a child. */
	result = args_put(pidfd_at, &none, sizeof(none));
	if (!result)
		result = pidfd_create(process_current(), 0, &file);
	if (result)
		return result;
	without.flags &= ~(uint64_t)CLONE_PIDFD;
	without.made = &child;
	result = process_clone(&without);
	if (result < 0) {
		file_put(file);
		return result;
	}
	process_put(file->data);
	file->data = child;
	number = args_install(file, O_CLOEXEC);
	(void)args_put_late(pidfd_at, &(int32_t){ (int32_t)number }, sizeof(int32_t));
	return result;
}

SYSCALL_5(clone, flags, stack, parent_tid, child_tid, tls)
{
	struct clone_arguments arguments = {
		.flags = flags, .stack = stack, .parent_tid = parent_tid, .child_tid = child_tid, .tls = tls
	};

	if (!(flags & CLONE_PIDFD))
		return process_clone(&arguments);
	return flags & CLONE_PARENT_SETTID ? -EINVAL : clone_with_pidfd(&arguments, parent_tid);
}

/* Linux's struct clone_args. */
struct linux_clone {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal;
	uint64_t stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

SYSCALL_2(clone3, from, size)
{
	struct clone_arguments arguments;
	struct linux_clone in;
	int error = args_get_versioned(&in, sizeof(in), CLONE_ARGUMENTS_LEAST, from, size);

	if (error)
		return error;
	/* A program cannot choose the child's tids (set_tid), and there are no groups of processes (cgroups). */
	if (in.flags & (CLONE_EXIT_SIGNAL | CLONE_DETACHED) || in.exit_signal & ~(uint64_t)CLONE_EXIT_SIGNAL ||
	    in.set_tid || in.set_tid_size || !in.stack != !in.stack_size)
		return -EINVAL;
	if (in.exit_signal && in.flags & CLONE_THREAD)
		return -EINVAL;
	if (!user_range_ok(user_pointer(in.stack), in.stack_size))
		return -EINVAL;
	arguments = (struct clone_arguments){ .flags = in.flags | in.exit_signal,
					      .stack = in.stack + in.stack_size,
					      .parent_tid = in.parent_tid,
					      .child_tid = in.child_tid,
					      .tls = in.tls };
	return in.flags & CLONE_PIDFD ? clone_with_pidfd(&arguments, in.pidfd) : process_clone(&arguments);
}
