/*
 * Another signal mask while a system call waits: for ppoll(2), pselect6(2), epoll_pwait(2), rt_sigsuspend(2).
 */
#pragma once

#include "paging/types.h"

struct signal_mask_change {
	bool changed; /* a new mask was given, so the old one must be restored */
	uint64_t old; /* the mask before the change */
};

/*
 * Replace the current task's mask of blocked signals by the mask at user address `from`; if `from` is 0 change nothing.
 * Returns 0; or, with the mask as before, -EINVAL (`size` is not 8) or -EFAULT.
 */
int64_t signal_mask_begin(struct signal_mask_change *change, uint64_t from, uint64_t size);

/*
 * Restore the old mask. If `result` is -EINTR a signal is about to be delivered: then its handler runs with the new
 * mask, and the old one is restored when the handler returns. Returns `result`, but -ERESTARTNOHAND for -EINTR: the
 * call is restarted if no handler runs.
 */
int64_t signal_mask_end(const struct signal_mask_change *change, int64_t result);
