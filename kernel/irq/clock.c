/*
 * Converts time-stamp counts to times and back. The counters of all CPUs go alike (tsc_sync.h); where they do not,
 * another counter stands in for them, in their unit.
 */
#include "kernel/irq/clock.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/arch/text_patch.h"
#include "kernel/irq/clock_page.h"
#include "kernel/irq/scale.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/time.h"

/*
 * Fixed after boot, except realtime_offset: it is changed with the timers' lock (timer.c) held, and read without it, so
 * it is atomic.
 */
static uint64_t frequency;
static uint64_t start;               /* the TSC when monotonic time was 0 */
static struct scale to_ns, to_ticks; /* zero until clock_init(), so all times are 0 until then */
static uint64_t realtime_offset;     /* wall clock minus monotonic time; one word, so that no reader sees half of it */

/*
 * Marks a function whose code is changed at boot: it is not inlined, and its callers do not rely on which registers its
 * code leaves unchanged, as gcc lets them otherwise (-fipa-ra).
 */
#if defined(__clang__) || defined(__CHECKER__)
#define PATCHED __attribute__((noinline))
#else
#define PATCHED __attribute__((noipa))
#endif

/* The counter that stands in for the time-stamp counter, if `by.by.read` is set. Fixed after boot but for `counted` */
static struct {
	struct clock_counter by;
	struct scale to_ticks;
	uint64_t begun;   /* the clock's ticks when the counter took over, and `counted` was 0 */
	uint32_t first;   /* what the counter showed at that time */
	uint64_t counted; /* counts from that time to the last reading. Atomic */
} stand_in;

/* The clock page, in a page of its own since programs read it whole. Guard: as in clock_page.h. */
static union {
	struct clock_page page;
	uint8_t whole[PAGE_SIZE];
} shared __attribute__((aligned(PAGE_SIZE)));

const void *clock_page(void)
{
	return &shared;
}

/* Tell programs how to compute the time. A program that reads the page meanwhile makes a system call instead. */
static void publish(void)
{
	struct clock_page *page = &shared.page;

	__atomic_store_n(&page->sequence, page->sequence | 1, __ATOMIC_RELAXED);
	if (stand_in.by.by.read)
		return;
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

/*
 * Return the ticks by the counter that stands in. `counted` is read before the counter, which cannot have come round in
 * between, so the ticks are never less than those of a call that has returned. The counter, read on this CPU, may still
 * seem a little behind a reading on another CPU: the ticks stand still then, since the difference would otherwise look
 * like nearly a whole round of the counter.
 */
static uint64_t stand_in_ticks(void)
{
	uint64_t before = __atomic_load_n(&stand_in.counted, __ATOMIC_ACQUIRE);
	const uint32_t shown = stand_in.by.by.read(stand_in.by.by.at) - stand_in.first;
	const uint32_t mask = stand_in.by.by.mask, passed = (shown - (uint32_t)before) & mask;
	const uint64_t counted = passed > mask / 2 ? before : before + passed;

	while (before < counted && !__atomic_compare_exchange_n(&stand_in.counted, &before, counted, false,
								__ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return stand_in.begun + scale_apply(stand_in.to_ticks, counted);
}

static uint64_t stand_in_ns(void)
{
	return clock_ns_at(stand_in_ticks());
}

uint64_t clock_ticks(void)
{
	return stand_in.by.by.read ? stand_in_ticks() : cpu_rdtsc();
}

/*
 * clock_use_counter() overwrites the start of this function with a jump to stand_in_ns(): a test here instead would
 * make each switch of tasks, and each call that reads the clock, cost more.
 */
PATCHED uint64_t clock_monotonic_ns(void)
{
	return clock_ns_at(cpu_rdtsc());
}

void clock_use_counter(const struct clock_counter *counter)
{
	const vaddr_t from = (vaddr_t)clock_monotonic_ns;
	const uint32_t distance = (uint32_t)((vaddr_t)stand_in_ns - (from + 5));
	uint8_t jump[5] = { 0xe9 };

	stand_in.to_ticks = scale_make(frequency * counter->units, counter->per_second);
	stand_in.first = counter->by.read(counter->by.at);
	stand_in.begun = cpu_rdtsc();
	stand_in.by = *counter;
	publish();
	memcpy(jump + 1, &distance, sizeof(distance));
	ASSERT(text_patch(from, jump, sizeof(jump)) == OK);
}

uint64_t clock_realtime_ns(void)
{
	return clock_monotonic_ns() + __atomic_load_n(&realtime_offset, __ATOMIC_RELAXED);
}

static void set_offset(uint64_t ns)
{
	__atomic_store_n(&realtime_offset, ns, __ATOMIC_RELAXED);
	publish();
}

void clock_set_realtime(uint64_t ns)
{
	uint64_t now = clock_monotonic_ns();

	set_offset(ns > now ? ns - now : 0);
}

void clock_move_realtime(int64_t ns)
{
	if (ns >= 0)
		set_offset(time_add(realtime_offset, (uint64_t)ns));
	else
		set_offset(realtime_offset > -(uint64_t)ns ? realtime_offset + (uint64_t)ns : 0);
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
