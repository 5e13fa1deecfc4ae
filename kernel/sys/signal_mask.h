/*
 * Another signal mask while a call waits: ppoll(2), pselect6(2).
 */
#pragma once

#include "paging/types.h"

struct signal_mask_change {
	bool changed;
	uint64_t old;
};

/* Put the user's mask at `from` (0: none) in place. -EINVAL (its size), -EFAULT. */
int64_t signal_mask_begin(struct signal_mask_change *change, uint64_t from, uint64_t size);

/*
 * Put the old one back; or, when a signal is to be delivered, let its handler run with the new one and have the old
 * one put back when it returns. The call's result, -EINTR made to be restarted where there is no handler.
 */
int64_t signal_mask_end(const struct signal_mask_change *change, int64_t result);
