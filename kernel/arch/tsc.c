/*
 * Finds the time-stamp counter's rate. Keeps nothing.
 */
#include "kernel/arch/tsc.h"

#include "kernel/arch/cpu.h"

#define PIT_FREQUENCY 1193182ULL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define SYSTEM_PORT_B 0x61 /* bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2 */

#define MEASURE_MS 10
/* The wait ends here at the latest, some 100 ms, when there is no PIT. */
#define MOST_TICKS 400000000ULL

/* Intel SDM vol. 2A, CPUID leaf 15H: TSC = crystal * EBX / EAX. */
uint64_t tsc_frequency_by_cpuid(void)
{
	struct cpuid r;

	if (cpu_cpuid(0, 0).eax < 0x15)
		return 0;
	r = cpu_cpuid(0x15, 0);
	if (!r.eax || !r.ebx || !r.ecx)
		return 0;
	return (uint64_t)r.ecx * r.ebx / r.eax;
}

/* Intel SDM vol. 2A, CPUID leaf 16H: the base frequency in MHz, which is the TSC's where that is invariant. */
uint64_t tsc_frequency_by_name(void)
{
	if (cpu_cpuid(0, 0).eax < 0x16)
		return 0;
	return (cpu_cpuid(0x16, 0).eax & 0xffff) * 1000000ULL;
}

/* Channel 2 in mode 0: its output rises when the count has run down. */
uint64_t tsc_frequency_by_pit(void)
{
	const uint16_t count = PIT_FREQUENCY * MEASURE_MS / 1000;
	uint8_t port_b = cpu_in8(SYSTEM_PORT_B) & ~3;
	uint64_t start, ticks;

	cpu_out8(SYSTEM_PORT_B, port_b | 1);
	cpu_out8(PIT_COMMAND, 0xb0);
	cpu_out8(PIT_CHANNEL2, count & 0xff);
	cpu_out8(PIT_CHANNEL2, count >> 8);
	start = cpu_rdtsc();
	do
		ticks = cpu_rdtsc() - start;
	while (!(cpu_in8(SYSTEM_PORT_B) & 0x20) && ticks < MOST_TICKS);
	cpu_out8(SYSTEM_PORT_B, port_b);
	/* Without a PIT the output seems to rise at once. */
	if (ticks >= MOST_TICKS || ticks < 10000)
		return 0;
	return ticks * PIT_FREQUENCY / count;
}
