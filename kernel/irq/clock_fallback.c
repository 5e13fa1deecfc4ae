/*
 * Chooses the counter that stands in for the time-stamp counter, and keeps it from coming round unseen.
 */
#include "kernel/irq/clock_fallback.h"

#include "kernel/arch/irq_guard.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/hpet.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/pm_timer.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/time.h"

/* The PM timer's 24 bits come round after 4.7 s, an HPET's 32 bits after 43 s or more at 100 MHz. */
#define KEEP_NS NS_PER_S

static void keep(struct timer *timer)
{
	timer_start(timer, time_add(clock_monotonic_ns(), KEEP_NS));
}

const char *clock_fall_back(void)
{
	static struct timer keeper = { .fire = keep }; /* guard: LOCK_TIMERS */
	const struct acpi_info *acpi = irq_acpi();
	const char *name = "HPET";
	struct clock_counter counter;
	uint64_t flags = irq_guard_enter();

	if (!hpet_counter(&counter)) {
		name = "ACPI PM timer";
		if (!pm_timer_counter(acpi->pm_timer, &counter))
			name = NULL;
	}
	if (name) {
		clock_use_counter(&counter);
		timer_leave_tsc();
		keep(&keeper);
	}
	irq_guard_leave(flags);
	return name;
}
