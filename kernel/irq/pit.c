/*
 * Programs channel 0 of the PIT (Intel, "8254 Programmable Interval Timer").
 */
#include "kernel/irq/pit.h"

#include "kernel/arch/cpu.h"

#define CHANNEL0       0x40
#define COMMAND        0x43
#define COMMAND_ONCE   0x30 /* channel 0, both bytes, mode 0: its output rises once, when the count reaches 0 */
#define COMMAND_REPEAT 0x34 /* channel 0, both bytes, mode 2: a pulse each time the count has run out */
#define SLOWEST        0    /* a count of 0 stands for 65,536 */

static void start(uint8_t command, uint16_t ticks)
{
	cpu_out8(COMMAND, command);
	cpu_out8(CHANNEL0, (uint8_t)ticks);
	cpu_out8(CHANNEL0, ticks >> 8);
}

void pit_start_once(uint16_t ticks)
{
	start(COMMAND_ONCE, ticks);
}

void pit_stop(void)
{
	/* After this command the channel waits for a count before it counts at all. */
	cpu_out8(COMMAND, COMMAND_ONCE);
}

void pit_start_slow_rate(void)
{
	start(COMMAND_REPEAT, SLOWEST);
}
