/*
 * Starts a slow periodic NMI, made by channel 0 of the PIT and delivered by an I/O APIC.
 */
#include "kernel/irq/nmi_timer.h"

#include "kernel/irq/irq.h"
#include "kernel/irq/pit.h"

#define ISA_TIMER 0

enum status nmi_timer_start(void)
{
	enum status status = irq_route_nmi(ISA_TIMER);

	if (status == OK)
		pit_start_slow_rate();
	return status;
}
