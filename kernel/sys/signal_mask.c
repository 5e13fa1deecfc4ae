/*
 * Sets another signal mask for the time of a system call, and restores the old one.
 */
#include "kernel/sys/signal_mask.h"

#include "kernel/sys/user_args.h"

int64_t signal_mask_begin(struct signal_mask_change *change, uint64_t from, uint64_t size)
{
	uint64_t mask;
	int error;

	*change = (struct signal_mask_change){ .changed = from != 0 };
	if (!from)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	error = args_get(&mask, from, sizeof(mask));
	if (error)
		return error;
	change->old = task_current()->signals.blocked;
	signal_set_blocked(mask);
	return 0;
}

int64_t signal_mask_end(const struct signal_mask_change *change, int64_t result)
{
	struct task_signals *signals = &task_current()->signals;

	if (change->changed && result == -EINTR) {
		signals->saved_blocked = change->old;
		signals->restore_blocked = true;
	} else if (change->changed) {
		signal_set_blocked(change->old);
	}
	return result == -EINTR ? -ERESTARTNOHAND : result;
}
