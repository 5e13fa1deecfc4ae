/*
 * Converts time-stamp counts to times and back. The counters of all CPUs go alike (tsc_sync.h).
 */
#include "kernel/irq/clock.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/irq/clock_page.h"
#include "kernel/irq/scale.h"
#include "kernel/lib/panic.h"

/*
 * Fixed after boot, except realtime_offset, which tasks change with the kernel lock and everybody reads without: it is
 * atomic.
 */
static uint64_t frequency;
static uint64_t start;               /* the TSC when monotonic time was 0 */
static struct scale to_ns, to_ticks; /* zero until clock_init(), so all times are 0 until then */
static uint64_t realtime_offset;     /* wall clock minus monotonic time; one word, so that no reader sees half of it */

/* The clock page, in a page of its own since programs read it whole. Guard: as in clock_page.h. */
static union {
	struct clock_page page;
	uint8_t whole[PAGE_SIZE];
} shared __attribute__((aligned(PAGE_SIZE)));

const void *clock_page(void)
{
	return &shared;
}

/* Tell programs how to compute the time; those that are reading the page meanwhile read it again. */
static void publish(void)
{
	struct clock_page *page = &shared.page;

	__atomic_store_n(&page->sequence, page->sequence | 1, __ATOMIC_RELAXED);
	/* Below 250 MHz the shift is too small for what programs compute: they make system calls. */
	if (to_ns.shift < 64 - CLOCK_PAGE_BITS)
		return;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&page->start, start, __ATOMIC_RELAXED);
	__atomic_store_n(&page->multiplier, to_ns.multiplier, __ATOMIC_RELAXED);
	__atomic_store_n(&page->shift, to_ns.shift - (64 - CLOCK_PAGE_BITS), __ATOMIC_RELAXED);
	__atomic_store_n(&page->offsets[1], realtime_offset, __ATOMIC_RELAXED);
	__atomic_store_n(&page->sequence, page->sequence + 1, __ATOMIC_RELEASE);
}

void clock_init(uint64_t tsc_frequency, uint64_t tsc_start)
{
	ASSERT(tsc_frequency > 0 && tsc_frequency >> 63 == 0);
	frequency = tsc_frequency;
	start = tsc_start;
	to_ticks = scale_make(tsc_frequency, NS_PER_S);
	to_ns = scale_make(NS_PER_S, tsc_frequency);
	shared.page.numbered = cpu_features()->rdtscp;
	publish();
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
	return clock_monotonic_ns() + __atomic_load_n(&realtime_offset, __ATOMIC_RELAXED);
}

void clock_set_realtime(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	__atomic_store_n(&realtime_offset, ns > now ? ns - now : 0, __ATOMIC_RELAXED);
	publish();
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
