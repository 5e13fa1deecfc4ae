/*
 * Sets and reports the current task's alternate stack for signal handlers (sigaltstack(2)). signal_frame.c uses it.
 */
#include "kernel/fs/errno.h"
#include "kernel/task/signal_internal.h"

struct signal_stack signal_stack_get(uint64_t sp)
{
	const struct task *task = task_current();
	struct signal_stack stack = {
		.base = task->signals.stack_base,
		.flags = task->signals.stack_flags,
		.size = task->signals.stack_size,
	};

	if (!stack.size)
		stack.flags |= SS_DISABLE;
	else if (signal_stack_is_used(task, sp))
		stack.flags |= SS_ONSTACK;
	return stack;
}

int signal_stack_set(const struct signal_stack *stack, uint64_t sp)
{
	struct task_signals *signals = &task_current()->signals;
	uint32_t mode = stack->flags & ~SS_AUTODISARM;

	if (signal_stack_is_used(task_current(), sp))
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode != SS_DISABLE && stack->size < MINSIGSTKSZ)
		return -ENOMEM;
	signals->stack_base = mode == SS_DISABLE ? 0 : stack->base;
	signals->stack_size = mode == SS_DISABLE ? 0 : stack->size;
	signals->stack_flags = stack->flags & SS_AUTODISARM;
	return 0;
}
