/*
 * Tests of interrupts and time. Each wait is limited by the clock, so that a timer which never fires makes the test
 * fail and not hang. That the clock itself runs is checked first, in a loop limited by a count.
 *
 * In a virtual machine any amount of time can pass between two instructions. A check that needs several things done
 * before a deadline does them with interrupts off: then no timer can fire between them, however late it is.
 * Guard of all state here: the test that runs; tests run one at a time, before there are tasks.
 */
#include "kernel/selftest/irq_selftest.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/tsc.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/pit.h"
#include "kernel/irq/rtc.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/scratch.h"
#include "kernel/mm/space/context.h"
#include "kernel/mm/space/tlb.h"

#define MANY        100
#define LONG_ENOUGH (60 * NS_PER_S) /* a test waits this long only when it fails */
#define TURNS       1000000

/* 2024-01-01 and 2100-01-01, UTC: a clock that shows a time outside of this range was never set. */
#define EARLIEST_S 1704067200ULL
#define LATEST_S   4102444800ULL

struct trial {
	struct timer timer;
	uint64_t fired_ns; /* when the timer fired; 0: it has not yet */
	unsigned turn;     /* how many of the trials' timers fired before this one */
	bool interrupts_were_on;
};

static SCRATCH struct trial trials[MANY];
static volatile unsigned fired; /* how many timers have fired in this test */

static void note_firing(struct timer *timer)
{
	struct trial *t = (struct trial *)((char *)timer - offsetof(struct trial, timer));

	t->fired_ns = clock_monotonic_ns();
	t->turn = fired;
	t->interrupts_were_on = cpu_read_flags() & RFLAGS_IF;
	fired = fired + 1;
}

static void trial_start(struct trial *t, uint64_t deadline_ns)
{
	*t = (struct trial){ .timer.fire = note_firing };
	timer_start(&t->timer, deadline_ns);
}

/* Wait until `count` timers have fired, for LONG_ENOUGH at the most. Returns whether that many have fired. */
static bool wait_for(unsigned count)
{
	uint64_t start = clock_monotonic_ns();

	while (fired < count && clock_monotonic_ns() - start < LONG_ENOUGH)
		cpu_pause();
	return fired >= count;
}

static bool clock_runs_forward(void)
{
	uint64_t first = clock_monotonic_ns(), before = first;

	for (int i = 0; i < TURNS; i++) {
		uint64_t now = clock_monotonic_ns();

		if (now < before)
			return false;
		before = now;
	}
	return before > first;
}

static bool fires_after_its_deadline(void)
{
	bool good = true;

	for (uint64_t delay = 0; delay <= 10 * NS_PER_MS; delay += 2 * NS_PER_MS) {
		uint64_t deadline = clock_monotonic_ns() + delay;
		struct trial *t = &trials[0];

		fired = 0;
		trial_start(t, deadline);
		good &= wait_for(1) && t->fired_ns >= deadline && !t->interrupts_were_on;
		good &= !timer_cancel(&t->timer);
	}
	return good;
}

/* Start timers in another order than that of their deadlines, some of which are equal, and check when they fire. */
static bool many_fire_in_order(void)
{
	uint64_t start = clock_monotonic_ns() + 5 * NS_PER_MS, guard;
	bool good;

	fired = 0;
	guard = irq_guard_enter();
	for (unsigned i = 0; i < MANY; i++)
		trial_start(&trials[i], start + (i * 37 % MANY) / 2 * (NS_PER_MS / 10));
	irq_guard_leave(guard);
	good = wait_for(MANY);
	for (unsigned i = 0; i < MANY; i++) {
		good &= trials[i].fired_ns >= trials[i].timer.deadline_ns;
		for (unsigned k = 0; k < i; k++) {
			const struct timer *a = &trials[k].timer, *b = &trials[i].timer;

			/* Of two equal deadlines the timer started first fires first. */
			good &= (trials[k].turn < trials[i].turn) == (a->deadline_ns <= b->deadline_ns);
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		good &= !timer_cancel(&trials[i].timer);
	return good;
}

static bool cancelled_does_not_fire(void)
{
	uint64_t start = clock_monotonic_ns(), interrupts, guard;
	bool good;

	fired = 0;
	guard = irq_guard_enter();
	trial_start(&trials[0], start + 5 * NS_PER_MS);
	trial_start(&trials[1], start + 10 * NS_PER_MS);
	good = timer_cancel(&trials[0].timer) && !timer_cancel(&trials[0].timer);
	irq_guard_leave(guard);
	good &= wait_for(1) && trials[0].fired_ns == 0 && trials[1].fired_ns != 0;
	/* With no timer left no interrupt may come. */
	interrupts = timer_interrupts();
	while (clock_monotonic_ns() < start + 40 * NS_PER_MS)
		cpu_pause();
	return good && fired == 1 && timer_interrupts() == interrupts && timer_next_ns() == UINT64_MAX;
}

/*
 * Check that a timer wakes a halted CPU. STI in irq_open() takes effect only after the next instruction, the HLT, so
 * the interrupt cannot come before it. The hardware may interrupt a little before the deadline, and the handler then
 * arms it again: so the CPU may be woken more than once.
 */
static bool wakes_a_halted_cpu(void)
{
	uint64_t start = clock_monotonic_ns(), deadline = start + 20 * NS_PER_MS;

	fired = 0;
	irq_close();
	trial_start(&trials[0], deadline);
	while (fired == 0 && clock_monotonic_ns() - start < LONG_ENOUGH) {
		irq_open();
		cpu_halt();
		irq_close();
	}
	irq_open();
	return fired == 1 && clock_monotonic_ns() >= deadline;
}

/*
 * Check how many CR3 writes an interrupt costs when a user context is loaded: two where the APIC is memory-mapped,
 * which only the kernel context maps; none for x2APIC, which has MSRs.
 */
static bool keeps_to_its_cr3_writes(void)
{
	uint64_t most = apic_mode() == APIC_X2APIC ? 0 : 2, writes, guard;
	context_token_t token;
	struct context c;
	bool good;

	if (context_create(&c) != OK)
		return false;
	fired = 0;
	guard = irq_guard_enter();
	trial_start(&trials[0], clock_monotonic_ns() + NS_PER_MS);
	token = context_enter(&c);
	writes = context_tlb_stats().cr3_writes;
	irq_guard_leave(guard);
	good = wait_for(1);
	writes = context_tlb_stats().cr3_writes - writes;
	good &= context_is_loaded(&c);
	context_leave(token);
	context_destroy(&c);
	return good && writes <= most;
}

/* Start the timer again from its own fire function, in the interrupt. */
static void fire_again(struct timer *timer)
{
	fired = fired + 1;
	if (fired < 10)
		timer_start(timer, timer->deadline_ns + NS_PER_MS / 2);
}

static bool may_start_itself_again(void)
{
	static struct timer timer = { .fire = fire_again };

	fired = 0;
	timer_start(&timer, clock_monotonic_ns());
	return wait_for(10) && !timer_cancel(&timer) && fired == 10;
}

/* ---- a device's interrupt: the PIT's channel 0, which only the watchdog uses otherwise ---- */

#define PIT_MS  1193
#define ISA_PIT 0

static void count_interrupt(void *ctx)
{
	volatile unsigned *count = ctx;

	*count = *count + 1;
}

/* Let time pass. */
static void pass(uint64_t ns)
{
	uint64_t start = clock_monotonic_ns();

	while (clock_monotonic_ns() - start < ns)
		cpu_pause();
}

/*
 * Check that no interrupt of the PIT comes while its GSI (input of an I/O APIC) is masked, exactly one when it is
 * unmasked, and none when it is masked again.
 */
static bool device_interrupts_arrive(uint32_t gsi, volatile unsigned *count)
{
	bool good;

	pit_start_once(PIT_MS);
	pass(5 * NS_PER_MS);
	good = *count == 0;
	/* An emulator may be late and still owe the interrupt of the first start: a new start cancels that one. */
	pit_start_once(UINT16_MAX);
	irq_enable(gsi);
	/* An 8259, unlike an I/O APIC, delivers now what has come while it was masked. */
	if (irq_gsi(VECTOR_PIC + ISA_PIT) == gsi)
		*count = 0;
	pit_start_once(PIT_MS);
	for (uint64_t start = clock_monotonic_ns(); *count == 0 && clock_monotonic_ns() - start < LONG_ENOUGH;)
		cpu_pause();
	pass(5 * NS_PER_MS);
	good &= *count == 1;
	irq_disable(gsi);
	pit_start_once(PIT_MS);
	pass(5 * NS_PER_MS);
	return good && *count == 1;
}

/*
 * Check a device's interrupt. A machine passes that has no PIT, no interrupt controller for it, or no other timer than
 * the PIT.
 */
static bool device_interrupts_work(void)
{
	static volatile unsigned count;
	uint32_t gsi, other;
	enum status status;
	bool good;

	if (!tsc_frequency_by_pit())
		return true;
	count = 0;
	status = irq_register_isa(ISA_PIT, count_interrupt, (void *)&count, &gsi);
	if (status == ERR_NOT_FOUND || apic_mode() == APIC_NONE)
		return true;
	SELFTEST_CHECK(status == OK);
	good = irq_register_isa(ISA_PIT, count_interrupt, NULL, &other) == ERR_EXISTS &&
	       irq_register(UINT32_MAX, 0, count_interrupt, NULL) == ERR_NOT_FOUND;
	good &= device_interrupts_arrive(gsi, &count);
	irq_unregister(gsi);
	return good;
}

static bool wall_clock_is_plausible(void)
{
	uint64_t before = clock_realtime_ns() / NS_PER_S, after, rtc;

	if (rtc_read(irq_acpi()->century, &rtc) != OK)
		return false;
	after = clock_realtime_ns() / NS_PER_S;
	return before >= EARLIEST_S && after < LATEST_S && rtc + 2 >= before && after + 2 >= rtc;
}

static bool none_was_stray(void)
{
	return irq_stray_count() == 0;
}

static const struct selftest time_tests[] = {
	{ "the clock never goes back", clock_runs_forward },
	{ "a timer fires after its deadline", fires_after_its_deadline },
	{ "100 timers fire in order", many_fire_in_order },
	{ "a cancelled timer does not fire", cancelled_does_not_fire },
	{ "a timer starts itself again", may_start_itself_again },
	{ "a timer wakes a halted CPU", wakes_a_halted_cpu },
	{ "an interrupt keeps to its CR3 writes", keeps_to_its_cr3_writes },
	{ "the wall clock agrees with the RTC", wall_clock_is_plausible },
	{ "a device's interrupt arrives, unless masked", device_interrupts_work },
	{ "no interrupt was nobody's", none_was_stray },
};

SELFTEST_SUITE(time, time_tests);
