/*
 * Another signal mask while a call waits: ppoll(2), pselect6(2), epoll_pwait(2).
 */
#pragma once

#include "paging/types.h"

struct signal_mask_change {
	bool changed; /* a mask was given */
	uint64_t old; /* the mask of before */
};

/*
 * Block the signals of the user's mask at `from` instead of those of now; 0: change nothing. -EINVAL (`size` is not a
 * mask's), -EFAULT; the mask is as before then.
 */
int64_t signal_mask_begin(struct signal_mask_change *change, uint64_t from, uint64_t size);

/*
 * Put the old mask back. But when a signal is to be delivered, which `result` -EINTR says, its handler runs with the
 * new mask and puts the old one back when it returns. Returns `result`, with -EINTR made -ERESTARTNOHAND: the call is
 * begun again where there is no handler.
 */
int64_t signal_mask_end(const struct signal_mask_change *change, int64_t result);
