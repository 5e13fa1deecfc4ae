/*
 * Converts time-stamp counts to times and back, for the one CPU that the kernel uses. The counter of another CPU might
 * differ by an offset, which is not taken into account.
 */
#include "kernel/irq/clock.h"

#include "kernel/arch/cpu.h"
#include "kernel/irq/scale.h"
#include "kernel/lib/panic.h"

/* Fixed after boot, except realtime_offset. Guard of realtime_offset: tasks only, which the kernel does not preempt. */
static uint64_t frequency;
static uint64_t start;               /* the TSC when monotonic time was 0 */
static struct scale to_ns, to_ticks; /* zero until clock_init(), so all times are 0 until then */
static uint64_t realtime_offset;     /* wall clock minus monotonic time; one word, so that no reader sees half of it */

void clock_init(uint64_t tsc_frequency, uint64_t tsc_start)
{
	ASSERT(tsc_frequency > 0 && tsc_frequency >> 63 == 0);
	frequency = tsc_frequency;
	start = tsc_start;
	to_ticks = scale_make(tsc_frequency, NS_PER_S);
	to_ns = scale_make(NS_PER_S, tsc_frequency);
}

uint64_t clock_tsc_frequency(void)
{
	return frequency;
}

uint64_t clock_ns_at(uint64_t tsc)
{
	return scale_apply(to_ns, tsc - start);
}

uint64_t clock_monotonic_ns(void)
{
	return clock_ns_at(cpu_rdtsc());
}

uint64_t clock_realtime_ns(void)
{
	return clock_monotonic_ns() + realtime_offset;
}

void clock_set_realtime(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	realtime_offset = ns > now ? ns - now : 0;
}

uint64_t clock_monotonic_at(uint64_t realtime_ns)
{
	return realtime_ns > realtime_offset ? realtime_ns - realtime_offset : 0;
}

uint64_t clock_tsc_at(uint64_t ns)
{
	uint64_t ticks = scale_invert(to_ns, to_ticks, ns);

	return ticks > UINT64_MAX - start ? UINT64_MAX : start + ticks;
}
