/*
 * Finds the time-stamp counter's rate, from CPUID or by measuring. Stores no result.
 */
#include "kernel/arch/tsc.h"

#include "kernel/arch/cpu.h"

#define PIT_FREQUENCY 1193182ULL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define SYSTEM_PORT_B 0x61 /* bit 0: gate of channel 2, bit 1: speaker, bit 5: output of channel 2 */

#define COMMAND_COUNT_DOWN 0xb0 /* channel 2, both bytes, mode 0: its output rises at 0 */
#define COMMAND_LATCH      0x80 /* channel 2: hold the count until both of its bytes have been read */

#define MEASURE_MS 10
/* The most ticks to wait for the PIT, which may be missing: 100 ms at 4 GHz. */
#define MOST_TICKS 400000000ULL
#define TRIES      3

/* The PIT's count and the time-stamp counter, read at the same time. */
struct moment {
	uint16_t pit; /* counts down */
	uint64_t tsc;
};

/* Intel SDM vol. 2A, CPUID leaf 15H: TSC frequency = crystal frequency (ECX) * EBX / EAX. */
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

/* Intel SDM vol. 2A, CPUID leaf 16H: EAX is the base frequency in MHz, which an invariant TSC counts at. */
uint64_t tsc_frequency_by_name(void)
{
	if (cpu_cpuid(0, 0).eax < 0x16)
		return 0;
	return (cpu_cpuid(0x16, 0).eax & 0xffff) * 1000000ULL;
}

/*
 * Read both counters. A hypervisor may stop the CPU between the two reads, so the quickest of five tries is returned.
 */
static struct moment read_both(void)
{
	uint64_t quickest = UINT64_MAX;
	struct moment m = { 0 };

	for (int i = 0; i < 5; i++) {
		uint64_t before = cpu_rdtsc(), took;
		unsigned count;

		cpu_out8(PIT_COMMAND, COMMAND_LATCH);
		took = cpu_rdtsc() - before;
		count = cpu_in8(PIT_CHANNEL2);
		count |= (unsigned)cpu_in8(PIT_CHANNEL2) << 8;
		if (took < quickest) {
			quickest = took;
			m = (struct moment){ (uint16_t)count, before + took / 2 };
		}
	}
	return m;
}

/*
 * Measure the time-stamp counter's rate once, in ticks a second. Returns 0 when the PIT's count stood still, or had
 * reached 0 before its last reading.
 */
static uint64_t measure(void)
{
	const uint16_t wanted = PIT_FREQUENCY * MEASURE_MS / 1000;
	struct moment start, end;

	cpu_out8(PIT_COMMAND, COMMAND_COUNT_DOWN);
	cpu_out8(PIT_CHANNEL2, 0xff);
	cpu_out8(PIT_CHANNEL2, 0xff);
	start = read_both();
	do
		end = read_both();
	while ((uint16_t)(start.pit - end.pit) < wanted && end.tsc - start.tsc < MOST_TICKS);
	/* The output is high after the count has reached 0; without a PIT it reads high from the start. */
	if ((uint16_t)(start.pit - end.pit) < wanted || (cpu_in8(SYSTEM_PORT_B) & 0x20))
		return 0;
	return (end.tsc - start.tsc) * PIT_FREQUENCY / (uint16_t)(start.pit - end.pit);
}

uint64_t tsc_frequency_by_pit(void)
{
	uint8_t port_b = cpu_in8(SYSTEM_PORT_B) & ~3;
	uint64_t frequency = 0;

	cpu_out8(SYSTEM_PORT_B, port_b | 1);
	for (int i = 0; i < TRIES && !frequency; i++)
		frequency = measure();
	cpu_out8(SYSTEM_PORT_B, port_b);
	return frequency;
}
