/*
 * Linux's struct timeval, and conversions of times to and from nanoseconds.
 */
#pragma once

#include "kernel/fs/linux_stat.h"
#include "kernel/lib/time.h"

/* Linux's struct timeval. */
struct linux_timeval {
	int64_t seconds;
	int64_t microseconds;
};

/*
 * Convert a time to nanoseconds, or nanoseconds to a time. A time too large for 64 bits becomes TIME_MOST_NS. The
 * _to_ns functions return 0, or -EINVAL when the time is negative or its fraction is a second or more; *ret_ns is
 * untouched then.
 */
int timespec_to_ns(const struct linux_timespec *time, uint64_t *ret_ns);
int timeval_to_ns(const struct linux_timeval *time, uint64_t *ret_ns);
struct linux_timespec timespec_from_ns(uint64_t ns);
struct linux_timeval timeval_from_ns(uint64_t ns);
