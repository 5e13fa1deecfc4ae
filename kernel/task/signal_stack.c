/*
 * The alternate stack for handlers (sigaltstack(2)).
 */
#include "kernel/lib/errno.h"
#include "kernel/task/signal_internal.h"

#define RED_ZONE 128 /* below the stack pointer, the program's (System V ABI, AMD64 supplement) */

bool signal_stack_is_used(const struct task *task, uint64_t sp)
{
	/* One that disarms itself is never in use: the handler may switch away from it. */
	if (task->signals.stack_flags & SS_AUTODISARM)
		return false;
	return sp > task->signals.stack_base && sp - task->signals.stack_base <= task->signals.stack_size;
}

uint64_t signal_stack_top(const struct task *task, const struct signal_action *action, uint64_t sp)
{
	if ((action->flags & SA_ONSTACK) && task->signals.stack_size && !signal_stack_is_used(task, sp))
		return task->signals.stack_base + task->signals.stack_size;
	return sp - RED_ZONE;
}

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
