/*
 * Compares the time-stamp counters of CPUs that start with that of the CPU that starts them, and corrects those that
 * differ. All of them do it at the same time: the first CPU shows its counter in one word, again and again, and the
 * others read that.
 */
#pragma once

#include "paging/types.h"

/* Show this CPU's counter once. The first CPU calls this in a loop while it waits for the others. */
void tsc_sync_show(void);

/*
 * Compare this CPU's counter with the first CPU's, and correct it if they differ. Returns OK; or ERR_RANGE when they
 * still differ afterwards, and *ret_ticks is by how many ticks, at the least, this CPU's counter is ahead; negative:
 * behind.
 */
MUST_CHECK enum status tsc_sync_follow(int64_t *ret_ticks);
