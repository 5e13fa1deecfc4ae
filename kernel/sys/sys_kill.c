/*
 * System calls that send signals to a process, a group or a task: kill, tkill, tgkill, rt_sigqueueinfo,
 * rt_tgsigqueueinfo.
 */
#include "kernel/irq/timer.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/signal_numbers.h"

static bool is_signal(uint64_t number)
{
	return (int)number >= 0 && (int)number <= SIGNALS;
}

/*
 * Set the siginfo of a signal that the current process sends; the function that queues the signal sets its number. The
 * fields are set one by one, since compilers clear a structure of this size in a loop, which costs as much again as all
 * these stores.
 */
static inline void set_info_here(struct signal_info *info, int code)
{
	info->signal = 0;
	info->error = 0;
	info->code = code;
	info->pad = 0;
	info->sender.pid = process_current()->pid;
	info->sender.uid = rights_current()->uid.real;
	info->sender.value = 0;
	info->times[0] = 0;
	info->times[1] = 0;
}

/*
 * Return a reference to the process that kill(2) means by `pid`, which may be the tid of any of its tasks; NULL: there
 * is none.
 */
static struct process *find_other(int pid)
{
	struct process *process = process_peek(pid);
	const struct task *task = process ? NULL : task_peek(pid);

	if (task)
		process = task->process;
	return process ? process_get(process) : NULL;
}

/* Send a signal to a process; with signal 0 only check whether that is allowed. Returns 0, -ESRCH, -EPERM, -EAGAIN. */
static int64_t send_process(int pid, int signal, const struct signal_info *info)
{
	HELD_PROCESS struct process *process = process_current();

	/* A program that signals itself, as by kill(getpid(), …), needs no search, and no check of its rights. */
	if (likely(process->pid == pid)) {
		process_get(process);
	} else {
		process = find_other(pid);
		if (!process)
			return -ESRCH;
		if (!rights_may_signal_process(process, signal))
			return -EPERM;
	}
	return signal ? signal_send_process(process, signal, info) : 0;
}

/* Not inlined, so that a signal to the own process does not pay for saving the registers that this function uses. */
static __attribute__((noinline)) bool may_signal_task(const struct task *task, int signal)
{
	HELD_CREDENTIALS const struct credentials *theirs = rights_of_task(task);

	return theirs && rights_may_signal(task->process, theirs, signal);
}

static int64_t send_task(int pid, int tid, int signal, const struct signal_info *info)
{
	HELD_TASK struct task *task = task_find(tid);

	if (!task || !task->process || (pid && task->process->pid != pid))
		return -ESRCH;
	if (unlikely(task->process != process_current()) && !may_signal_task(task, signal))
		return -EPERM;
	return signal ? signal_send_task(task, signal, info) : 0;
}

struct all_send {
	int signal;
	int64_t result;
	const struct signal_info *info;
};

static bool send_other(void *ctx, struct process *process)
{
	struct all_send *sending = ctx;

	/* As on Linux, processes that the caller may not signal are skipped, and do not count for the result. */
	if (process->pid == 1 || process == process_current() || !rights_may_signal_process(process, sending->signal))
		return true;
	sending->result = 0;
	if (sending->signal && signal_send_process(process, sending->signal, sending->info) != 0)
		sending->result = -EAGAIN;
	return true;
}

/*
 * Send a signal to all processes except process 1 and the caller's own, in the order of their numbers, and let other
 * tasks run in between. Then send it to the processes that were made meanwhile. A process that joins another group
 * meanwhile may get the signal twice. Returns 0, -ESRCH (there are none), -EAGAIN.
 */
static int64_t send_all(int signal, const struct signal_info *info)
{
	struct all_send sending = { signal, -ESRCH, info };
	uint64_t since = 0, until = process_joins();
	int next = 0;

	do {
		if (process_visit_numbers(&next, since, send_other, &sending))
			continue;
		if (process_joins() == until)
			break;
		next = 0;
		since = until;
		until = process_joins();
	} while (!task_give_way());
	return sending.result;
}

/*
 * Send a signal to more than one process, as kill's `pid` of 0 or less says. Not inlined, so that a signal to one
 * process does not pay for saving the registers that this function uses.
 */
static __attribute__((noinline)) int64_t send_many(int pid, int signal, const struct signal_info *info)
{
	if (pid == -1)
		return send_all(signal, info);
	/* INT32_MIN cannot be negated. */
	if (pid == INT32_MIN)
		return -ESRCH;
	return signal_send_group_in_steps(pid ? -pid : process_current()->group, signal, info);
}

SYSCALL_2(kill, who, signal)
{
	struct signal_info info;
	int pid = (int)who;

	if (!is_signal(signal))
		return -EINVAL;
	set_info_here(&info, SI_USER);
	return pid > 0 ? send_process(pid, (int)signal, &info) : send_many(pid, (int)signal, &info);
}

SYSCALL_2(tkill, tid, signal)
{
	struct signal_info info;

	if (!is_signal(signal) || (int)tid <= 0)
		return -EINVAL;
	set_info_here(&info, SI_TKILL);
	return send_task(0, (int)tid, (int)signal, &info);
}

SYSCALL_3(tgkill, pid, tid, signal)
{
	struct signal_info info;

	if (!is_signal(signal) || (int)tid <= 0 || (int)pid <= 0)
		return -EINVAL;
	set_info_here(&info, SI_TKILL);
	return send_task((int)pid, (int)tid, (int)signal, &info);
}

/*
 * Get the siginfo for a signal from user memory. A si_code that says that the kernel, kill(2) or tkill(2) sent the
 * signal is only allowed if `to_self`, so that no other process is misled. Returns 0, -EFAULT, -EPERM.
 */
static int64_t get_info(uint64_t from, bool to_self, struct signal_info *ret)
{
	int error = args_get(ret, from, sizeof(*ret));

	if (error)
		return error;
	if ((ret->code >= 0 || ret->code == SI_TKILL) && !to_self)
		return -EPERM;
	return 0;
}

SYSCALL_3(rt_sigqueueinfo, pid, signal, from)
{
	struct signal_info info;
	int64_t error = get_info(from, (int)pid == process_current()->pid, &info);

	if (error)
		return error;
	return is_signal(signal) ? send_process((int)pid, (int)signal, &info) : -EINVAL;
}

SYSCALL_4(rt_tgsigqueueinfo, pid, tid, signal, from)
{
	struct signal_info info;
	int64_t error = get_info(from, (int)tid == task_current()->tid, &info);

	if (error)
		return error;
	if (!is_signal(signal) || (int)tid <= 0 || (int)pid <= 0)
		return -EINVAL;
	return send_task((int)pid, (int)tid, (int)signal, &info);
}
