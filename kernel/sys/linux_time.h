/*
 * Linux's structures of time and our nanoseconds.
 */
#pragma once

#include "kernel/fs/linux_stat.h"
#include "kernel/lib/time.h"

/* struct timeval. */
struct linux_timeval {
	int64_t seconds;
	int64_t microseconds;
};

/* As nanoseconds. A time too far away becomes TIME_MOST_NS. -EINVAL: negative, or not normal. */
int timespec_to_ns(const struct linux_timespec *time, uint64_t *ret_ns);
int timeval_to_ns(const struct linux_timeval *time, uint64_t *ret_ns);
struct linux_timespec timespec_from_ns(uint64_t ns);
struct linux_timeval timeval_from_ns(uint64_t ns);
