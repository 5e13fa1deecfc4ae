/*
 * Keeps the timer queues of each CPU, and arms the APIC timer of that CPU, or the PIT, for them. A timer goes into the
 * queues of the CPU that starts it. The hardware is armed for the first deadline, and armed again only after its
 * interrupt, or when that deadline changes.
 */
#include "kernel/irq/timer.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/cpus.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/pit.h"
#include "kernel/irq/scale.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/time.h"
#include "kernel/sync/lock.h"

#define MEASURE_NS (10 * NS_PER_MS)
#define NEVER      UINT64_MAX
#define ISA_PIT    0

/* Which hardware interrupts when a timer is due. */
enum timer_hardware {
	BY_DEADLINE, /* the APIC timer, by TSC deadlines */
	BY_COUNT,    /* the APIC timer, by a count down to 0 */
	BY_PIT,      /* the PIT, on a CPU without a local APIC */
};

/*
 * BATCH: the most timers that fire in one interrupt. When more are due, the next interrupt comes at once, until firing
 * has taken BURST_NS. Then timers pause and the interrupted code runs on, for as long as the firing took; after the
 * first of several bursts only for a quarter of that. So a timer that is due behind a thousand others fires within a
 * millisecond, and timers that are due again and again leave other code about half of the CPU.
 */
#define BATCH    32
#define BURST_NS 500000

/* Guards the queues of all CPUs, and what their hardware is armed for. */
static struct lock timer_lock = LOCK_INITIAL(LOCK_TIMERS);

static enum timer_hardware hardware; /* fixed after boot */
static struct scale to_counts;       /* nanoseconds to ticks of the hardware; fixed after boot */

/* The started timers of a CPU, and its hardware. Guard: timer_lock. */
struct cpu_timers {
	struct timer_queue queues[TIMER_CLOCKS];
	/*
	 * The monotonic time, in ns, at which the hardware interrupts; NEVER: not at all. Outside of timer_interrupt()
	 * it is not later than the first deadline or paused_until, whichever of the two is later.
	 */
	uint64_t armed;
	bool firing;           /* timer_interrupt() is running; it arms the hardware at its end */
	uint64_t paused_until; /* monotonic ns before which no timer fires; set after a burst */
	uint64_t burst_ns;     /* how long timers have fired while more than a batch was due */
	bool bursts;           /* a burst has ended, and each interrupt since has found more than BATCH timers due */
	uint64_t interrupts;   /* how many timer interrupts have arrived. Guard: own CPU, interrupts off */
};

static PER_CPU struct cpu_timers cpu_timers;

/* Have the hardware, BY_COUNT or BY_PIT, interrupt after so many of its ticks; 0: never. */
static void start_count(uint64_t count)
{
	uint32_t most = hardware == BY_PIT ? UINT16_MAX : UINT32_MAX, ticks = count < most ? (uint32_t)count : most;

	if (hardware == BY_COUNT)
		apic_timer_set_count(ticks);
	else if (ticks)
		pit_start_once((uint16_t)ticks);
	else
		pit_stop();
}

static void arm_hardware(uint64_t deadline_ns)
{
	uint64_t now, count;

	ASSERT(clock_tsc_frequency());
	if (hardware == BY_DEADLINE) {
		/*
		 * The hardware takes 0 for "never". A deadline of 0 ticks has passed, so use 1, which has passed, too.
		 */
		uint64_t tsc = deadline_ns == NEVER ? 0 : clock_tsc_at(deadline_ns);

		apic_timer_set_deadline(tsc || deadline_ns == NEVER ? tsc : 1);
		return;
	}
	if (deadline_ns == NEVER) {
		start_count(0);
		return;
	}
	now = clock_monotonic_ns();
	count = scale_apply(to_counts, deadline_ns > now ? deadline_ns - now : 0);
	/*
	 * A deadline may be farther away than the hardware can count: the hardware then interrupts too early, and
	 * timer_interrupt() finds nothing due and arms it again.
	 */
	start_count(count < UINT32_MAX ? count + 1 : UINT32_MAX);
}

/*
 * Return whether arming the hardware is slow: the PIT's ports are slow, and if the APIC's registers are in memory,
 * reaching them takes two CR3 writes while a process's page tables are loaded. In both cases arm_for_first() does not
 * move an interrupt to a later time, for example when a timeout was cancelled: the early interrupt finds nothing due
 * and arms the hardware again.
 */
static bool arming_is_dear(void)
{
	return hardware == BY_PIT || (hardware == BY_COUNT && apic_mode() == APIC_XAPIC);
}

/* Return the timer that is due first, or NULL; *ret_ns: its monotonic time, or NEVER. The caller holds timer_lock. */
static struct timer *first_of_all(const struct cpu_timers *cpu, uint64_t *ret_ns)
{
	struct timer *first = timer_queue_first(&cpu->queues[TIMER_MONOTONIC]),
		     *wall = timer_queue_first(&cpu->queues[TIMER_WALL]);
	uint64_t deadline = first ? first->deadline_ns : NEVER;

	if (wall && clock_monotonic_at(wall->deadline_ns) < deadline) {
		first = wall;
		deadline = clock_monotonic_at(wall->deadline_ns);
	}
	*ret_ns = deadline;
	return first;
}

/*
 * Arm this CPU's hardware for its timer that is due first, but not for a time before paused_until. Does nothing when
 * the hardware is armed for that time already; when it is armed for an earlier time and arming is slow
 * (arming_is_dear); and while timer_interrupt() fires timers, since that function calls this one at its end. The caller
 * holds timer_lock.
 */
static void arm_for_first(struct cpu_timers *cpu)
{
	uint64_t deadline;

	if (cpu->firing)
		return;
	(void)first_of_all(cpu, &deadline);
	if (deadline < cpu->paused_until)
		deadline = cpu->paused_until;
	if (deadline == cpu->armed || (deadline > cpu->armed && arming_is_dear()))
		return;
	cpu->armed = deadline;
	arm_hardware(deadline);
}

static void timer_interrupt(void *ctx)
{
	struct cpu_timers *cpu = per_cpu_pointer(cpu_timers);
	uint64_t start = clock_monotonic_ns(), now = start, deadline;
	struct timer *first;
	unsigned fired = 0;

	(void)ctx;
	cpu->interrupts++;
	apic_log_undelivered();
	lock_take_off(&timer_lock);
	cpu->firing = true;
	while ((first = first_of_all(cpu, &deadline)) && deadline <= now && fired++ < BATCH) {
		timer_queue_remove(&cpu->queues[first->clock], first);
		/* Call the function without the lock: it takes other locks, and may start timers. */
		lock_release_off(&timer_lock);
		first->fire(first);
		lock_take_off(&timer_lock);
		now = clock_monotonic_ns();
	}
	cpu->firing = false;
	cpu->burst_ns = fired > BATCH ? cpu->burst_ns + (now - start) : 0;
	if (fired <= BATCH && now >= cpu->paused_until)
		cpu->bursts = false;
	if (cpu->burst_ns >= BURST_NS) {
		cpu->paused_until = time_add(now, cpu->bursts ? cpu->burst_ns : cpu->burst_ns / 4);
		cpu->burst_ns = 0;
		cpu->bursts = true;
	}
	/* After its interrupt the hardware is not armed any more, even if the interrupt came too early. */
	cpu->armed = NEVER;
	arm_for_first(cpu);
	lock_release_off(&timer_lock);
}

/*
 * Take a started timer out of its queue, which may be another CPU's. The other CPU's hardware stays armed: its
 * interrupt finds nothing due then, and arms it again. The caller holds timer_lock.
 */
static void dequeue(struct timer *timer)
{
	timer_queue_remove(&timer->cpu->queues[timer->clock], timer);
}

static void start(struct timer *timer, enum timer_clock clock, uint64_t deadline_ns)
{
	uint64_t guard = lock_take(&timer_lock);
	struct cpu_timers *cpu = per_cpu_pointer(cpu_timers);

	if (timer->queued && timer->clock == clock && timer->cpu == cpu) {
		timer_queue_move(&cpu->queues[clock], timer, deadline_ns);
	} else {
		if (timer->queued)
			dequeue(timer);
		timer->clock = clock;
		timer->cpu = cpu;
		timer_queue_add(&cpu->queues[clock], timer, deadline_ns);
	}
	arm_for_first(cpu);
	lock_release(&timer_lock, guard);
}

void timer_start(struct timer *timer, uint64_t deadline_ns)
{
	start(timer, TIMER_MONOTONIC, deadline_ns);
}

void timer_start_wall(struct timer *timer, uint64_t deadline_ns)
{
	start(timer, TIMER_WALL, deadline_ns);
}

/* Arm the hardware anew after the wall clock has changed. The caller holds timer_lock. */
static void wall_clock_changed(void)
{
	arm_for_first(per_cpu_pointer(cpu_timers));
	/* Another CPU arms its hardware anew in its timer's interrupt. */
	CPUS_EACH(cpu)
		if (cpu->number != this_cpu->number &&
		    timer_queue_first(&per_cpu_of(cpu, cpu_timers)->queues[TIMER_WALL]))
			apic_send(cpu->apic_id, VECTOR_TIMER);
}

void timer_set_wall_clock(uint64_t ns)
{
	uint64_t guard = lock_take(&timer_lock);

	clock_set_realtime(ns);
	wall_clock_changed();
	lock_release(&timer_lock, guard);
}

void timer_move_wall_clock(int64_t ns)
{
	uint64_t guard = lock_take(&timer_lock);

	clock_move_realtime(ns);
	wall_clock_changed();
	lock_release(&timer_lock, guard);
}

bool timer_cancel(struct timer *timer)
{
	uint64_t guard = lock_take(&timer_lock);
	bool was_queued = timer->queued;

	if (was_queued) {
		dequeue(timer);
		if (timer->cpu == per_cpu_pointer(cpu_timers))
			arm_for_first(timer->cpu);
	}
	lock_release(&timer_lock, guard);
	return was_queued;
}

uint64_t timer_next_ns(void)
{
	uint64_t guard = lock_take(&timer_lock), deadline, first = NEVER;

	CPUS_EACH(cpu) {
		(void)first_of_all(per_cpu_of(cpu, cpu_timers), &deadline);
		first = deadline < first ? deadline : first;
	}
	lock_release(&timer_lock, guard);
	return first;
}

uint64_t timer_interrupts(void)
{
	uint64_t sum = 0;

	CPUS_EACH(cpu)
		sum += per_cpu_of(cpu, cpu_timers)->interrupts;
	return sum;
}

/* The APIC timer's count and the clock, read at the same time. */
struct moment {
	uint32_t count; /* counts down */
	uint64_t ticks; /* of the clock: clock_ticks() */
};

static struct moment prepared; /* by timer_prepare(); fixed after boot */

/*
 * Read count and clock. A hypervisor may stop the CPU between the two reads, so the quickest of five tries is returned.
 */
static struct moment read_both(void)
{
	uint64_t quickest = UINT64_MAX;
	struct moment m = { 0 };

	for (int i = 0; i < 5; i++) {
		uint64_t before = clock_ticks(), took;
		uint32_t count = apic_timer_count();

		took = clock_ticks() - before;
		if (took < quickest) {
			quickest = took;
			m = (struct moment){ count, before + took / 2 };
		}
	}
	return m;
}

/* Begin to measure how fast the APIC's timer counts. */
static struct moment measure_begin(void)
{
	apic_timer_set_count(UINT32_MAX);
	return read_both();
}

/* End that, at the earliest MEASURE_NS after the beginning. The clock is known by now. */
static struct scale measure_end(struct moment start)
{
	const uint64_t start_ns = clock_ns_at(start.ticks);
	struct moment end;

	while (clock_ns_at(clock_ticks()) - start_ns < MEASURE_NS)
		cpu_pause();
	end = read_both();
	apic_timer_set_count(0);
	/*
	 * If the counter does not move, the scale is 0 and each deadline becomes "now": too many interrupts are better
	 * than none.
	 */
	return scale_make(start.count - end.count, clock_ns_at(end.ticks) - start_ns);
}

static const char *start_pit(void)
{
	enum status status;
	uint32_t gsi;

	hardware = BY_PIT;
	to_counts = scale_make(PIT_FREQUENCY, NS_PER_S);
	status = irq_register_isa(ISA_PIT, timer_interrupt, NULL, &gsi);
	ASSERT(status == OK);
	pit_stop();
	irq_enable(gsi);
	return "PIT, one-shot";
}

void timer_start_cpu(void)
{
	per_cpu(cpu_timers).armed = NEVER;
	if (hardware == BY_DEADLINE)
		(void)apic_timer_init(VECTOR_TIMER);
	else
		apic_timer_init_count(VECTOR_TIMER);
}

void timer_leave_tsc(void)
{
	if (hardware != BY_DEADLINE)
		return;
	lock_take_off(&timer_lock);
	hardware = BY_COUNT;
	apic_timer_init_count(VECTOR_TIMER);
	to_counts = measure_end(measure_begin());
	per_cpu(cpu_timers).armed = NEVER;
	arm_for_first(per_cpu_pointer(cpu_timers));
	lock_release_off(&timer_lock);
}

void timer_prepare(void)
{
	if (apic_mode() == APIC_NONE)
		return;
	hardware = apic_timer_init(VECTOR_TIMER) == APIC_TIMER_DEADLINE ? BY_DEADLINE : BY_COUNT;
	if (hardware == BY_COUNT)
		prepared = measure_begin();
}

const char *timer_init(void)
{
	per_cpu(cpu_timers).armed = NEVER;
	if (apic_mode() == APIC_NONE)
		return start_pit();
	irq_set_vector(VECTOR_TIMER, timer_interrupt, NULL);
	if (hardware == BY_DEADLINE)
		return "TSC deadline";
	to_counts = measure_end(prepared);
	return "APIC timer, one-shot";
}
