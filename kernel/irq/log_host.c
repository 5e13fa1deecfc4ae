/*
 * Records keep the raw counter: the first ones are said before anybody knows its rate.
 */
#include "kernel/irq/log_host.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/log.h"

void log_host_init(void)
{
	static const struct log_host host = {
		.stamp = cpu_rdtsc,
		.stamp_ns = clock_ns_at,
		.guard_enter = irq_guard_enter,
		.guard_leave = irq_guard_leave,
	};

	log_set_host(&host);
}
