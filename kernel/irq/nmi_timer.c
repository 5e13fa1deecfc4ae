/*
 * Starts a slow periodic NMI, made by channel 0 of the PIT. The channel has no other user but a self-test.
 */
#include "kernel/irq/nmi_timer.h"

#include "kernel/arch/cpu.h"
#include "kernel/irq/ioapic.h"
#include "kernel/irq/irq.h"

#define PIT_CHANNEL0      0x40
#define PIT_COMMAND       0x43
#define COMMAND_RATE      0x34 /* channel 0, both bytes, mode 2: a pulse each time the count has run out */
#define ISA_TIMER         0
#define SLOWEST_LOW_BYTE  0 /* a count of 0 stands for 65,536: 18.2 pulses a second */
#define SLOWEST_HIGH_BYTE 0

enum status nmi_timer_start(void)
{
	enum status status = irq_route_nmi(ISA_TIMER);

	if (status != OK)
		return status;
	cpu_out8(PIT_COMMAND, COMMAND_RATE);
	cpu_out8(PIT_CHANNEL0, SLOWEST_LOW_BYTE);
	cpu_out8(PIT_CHANNEL0, SLOWEST_HIGH_BYTE);
	return OK;
}
