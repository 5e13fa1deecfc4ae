/*
 * Compares the time-stamp counters of CPUs that start with that of the CPU that starts them, and corrects those that
 * differ. All of them do it at the same time: the first CPU shows its counter in one word, again and again, and the
 * others read that.
 */
#pragma once

#include "paging/types.h"

/* Show this CPU's counter once. The CPU that starts the others calls this in a loop while it waits for them. */
void tsc_sync_show(void);

/*
 * Compare this CPU's counter with the one that is shown, and correct it if they differ. Returns ERR_RANGE when they
 * differ still; *ret_ticks is then by how much.
 */
MUST_CHECK enum status tsc_sync_follow(int64_t *ret_ticks);
