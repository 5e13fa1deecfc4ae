/*
 * Converts Linux's times to nanoseconds, and back.
 */
#include "kernel/sys/linux_time.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"

static int to_ns(int64_t seconds, int64_t fraction, uint64_t fraction_ns, uint64_t *ret_ns)
{
	if (seconds < 0 || fraction < 0 || (uint64_t)fraction >= NS_PER_S / fraction_ns)
		return -EINVAL;
	*ret_ns = time_add_times((uint64_t)fraction * fraction_ns, (uint64_t)seconds, NS_PER_S);
	return 0;
}

int timespec_to_ns(const struct linux_timespec *time, uint64_t *ret_ns)
{
	return to_ns(time->seconds, time->nanoseconds, 1, ret_ns);
}

int timeval_to_ns(const struct linux_timeval *time, uint64_t *ret_ns)
{
	return to_ns(time->seconds, time->microseconds, 1000, ret_ns);
}

struct linux_timespec timespec_from_ns(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S) };
}

struct linux_timeval timeval_from_ns(uint64_t ns)
{
	return (struct linux_timeval){ (int64_t)(ns / NS_PER_S), (int64_t)(ns % NS_PER_S / 1000) };
}
