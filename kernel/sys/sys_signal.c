/*
 * System calls about signals: actions, masks, waiting for signals. sys_kill.c has those that send signals.
 */
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/wait_until.h"

_Static_assert(sizeof(struct signal_action) == 32, "struct kernel_sigaction");

/* Linux's siginfo_t. */
struct user_signal_info {
	struct signal_info info;
	uint8_t rest[128 - sizeof(struct signal_info)];
};

_Static_assert(sizeof(struct user_signal_info) == 128, "siginfo_t");

#define MASK_SIZE sizeof(uint64_t)

SYSCALL_4(rt_sigaction, number, from, to, mask_size)
{
	struct signal_action action, old;
	int signal = (int)number, error;

	if (mask_size != MASK_SIZE || signal < 1 || signal > SIGNALS)
		return -EINVAL;
	error = args_get_if(&action, from, sizeof(action));
	if (error)
		return error;
	if (from && (signal == SIGKILL || signal == SIGSTOP))
		return -EINVAL;
	old = process_current()->signals.actions[signal - 1];
	if (from)
		signal_set_action(signal, &action);
	return args_put_late(to, &old, sizeof(old));
}

enum mask_change { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK };

SYSCALL_4(rt_sigprocmask, how, from, to, mask_size)
{
	uint64_t old = task_current()->signals.blocked, mask;
	int error;

	if (mask_size != MASK_SIZE)
		return -EINVAL;
	if (from) {
		error = args_get(&mask, from, sizeof(mask));
		if (error)
			return error;
		switch ((int)how) {
		case SIG_BLOCK:
			signal_set_blocked(old | mask);
			break;
		case SIG_UNBLOCK:
			signal_set_blocked(old & ~mask);
			break;
		case SIG_SETMASK:
			signal_set_blocked(mask);
			break;
		default:
			return -EINVAL;
		}
	}
	return args_put_late(to, &old, sizeof(old));
}

SYSCALL_0(rt_sigreturn)
{
	return signal_return(task_frame(task_current()));
}

SYSCALL_2(rt_sigpending, to, mask_size)
{
	const struct task *task = task_current();
	uint64_t pending = task->signals.set.pending | task->process->signals.set.pending;

	if (mask_size > MASK_SIZE)
		return -EINVAL;
	pending &= task->signals.blocked;
	return args_put(to, &pending, mask_size);
}

/* Sleep until a signal is to be delivered. */
static void sleep(void)
{
	(void)WAIT_UNTIL(false, TASK_NO_DEADLINE);
}

SYSCALL_2(rt_sigsuspend, from, mask_size)
{
	struct signal_mask_change change;
	int64_t error;

	if (!from)
		return mask_size == MASK_SIZE ? -EFAULT : -EINVAL;
	error = signal_mask_begin(&change, from, mask_size);
	if (error)
		return error;
	sleep();
	return signal_mask_end(&change, -EINTR);
}

SYSCALL_0(pause)
{
	sleep();
	return -ERESTARTNOHAND;
}

static int64_t wait_for(uint64_t mask, uint64_t deadline, struct signal_info *ret)
{
	const struct task *task = task_current();
	int signal = 0, error;

	if ((task->signals.set.pending | task->process->signals.set.pending) & mask)
		signal = signal_take(mask, ret);
	if (signal)
		return signal;
	/* With a timeout of 0 do not wait. Signals outside `mask`, which would end a wait, stay pending. */
	if (!deadline)
		return -EAGAIN;
	signal_set_waited(mask);
	error = WAIT_UNTIL((signal = signal_take(mask, ret)) != 0, deadline);
	signal_set_waited(0);
	if (signal)
		return signal;
	return error == -ETIMEDOUT ? -EAGAIN : error;
}

SYSCALL_4(rt_sigtimedwait, from, to, time, mask_size)
{
	struct user_signal_info out = { 0 };
	uint64_t mask, deadline;
	int64_t signal;
	int error;

	if (mask_size != MASK_SIZE)
		return -EINVAL;
	error = args_get(&mask, from, sizeof(mask));
	if (!error)
		error = args_deadline(time, &deadline);
	if (error)
		return error;
	mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	signal = wait_for(mask, deadline, &out.info);
	if (signal > 0)
		error = args_put_late(to, &out, sizeof(out));
	return error ? error : signal;
}

SYSCALL_2(sigaltstack, from, to)
{
	uint64_t sp = task_frame(task_current())->rsp;
	struct signal_stack stack, old = signal_stack_get(sp);
	int error;

	if (from) {
		error = args_get(&stack, from, sizeof(stack));
		if (!error)
			error = signal_stack_set(&stack, sp);
		if (error)
			return error;
	}
	return args_put_late(to, &old, sizeof(old));
}
