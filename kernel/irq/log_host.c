/*
 * Gives the log its clock and its lock. Log records hold raw TSC values, since the first records are made before the
 * counter's rate is known.
 */
#include "kernel/irq/log_host.h"

#include "kernel/irq/clock.h"
#include "kernel/lib/log.h"
#include "kernel/sync/lock.h"

/* Guards the ring buffers in which the log keeps its records. */
static struct lock log_lock = LOCK_INITIAL(LOCK_LOG);

static uint64_t guard_enter(void)
{
	return lock_take(&log_lock);
}

static void guard_leave(uint64_t flags)
{
	lock_release(&log_lock, flags);
}

void log_host_init(void)
{
	static const struct log_host host = {
		.stamp = clock_ticks,
		.stamp_ns = clock_ns_at,
		.guard_enter = guard_enter,
		.guard_leave = guard_leave,
	};

	log_set_host(&host);
}
