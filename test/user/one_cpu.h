/*
 * Keeps tests of an order, or of shares, on one CPU, where these hold.
 */
#pragma once

#include "test/user/tap.h"

/* Stay on CPU 0, with all children that are made from now on. */
static inline void stay_on_one_cpu(void)
{
	unsigned long cpus = 1;

	is(sys(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus), 0, "sched_setaffinity to one CPU");
}
