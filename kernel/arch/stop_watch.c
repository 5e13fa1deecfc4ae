/*
 * Measures, in the debug build, how long this CPU takes no interrupt, and how long a task is in the kernel at a
 * stretch, which is called a turn here; see stop_watch.h.
 */
#include "kernel/arch/stop_watch.h"

#if STOPS_WATCHED

#include "kernel/arch/cpu.h"
#include "kernel/arch/percpu.h"
#include "kernel/arch/trap.h"
#include "kernel/lib/log.h"

#define TOLD_MOST 64         /* the most places that are remembered; further ones are not logged */
#define NO_TRAP   UINT64_MAX /* turn_vector of a kernel task, which entered by no trap */

/* Guard: own CPU, interrupts off. */
static PER_CPU struct watch {
	/* the time-stamp counter when interrupts went off; 0: interrupts are on, or went off unnoticed */
	uint64_t off_since;
	const char *off_place;
	/*
	 * address and vector of the trap that turned interrupts off, valid when off_place is NULL. Otherwise code at
	 * off_place has turned them off
	 */
	uint64_t off_rip, off_vector;
	/*
	 * the time-stamp counter when the running task entered the kernel, or got the CPU while in the kernel; 0: the
	 * task runs its program. Guard: the running task
	 */
	uint64_t turn_since;
	/*
	 * vector and error code (of a system call: its number) of the trap by which the running task entered the kernel
	 */
	uint64_t turn_vector, turn_number;
	/*
	 * The longest stretch of a task in the kernel that has ended and is not logged yet: a lock may have been held
	 * at its end, so it is logged later.
	 */
	struct {
		const char *place; /* where the stretch ended; NULL: none is to be logged */
		uint64_t ticks, vector, number;
	} ended;
} watch;

/* The longest stretch that was logged for each place. Guard: own CPU, interrupts off. */
static PER_CPU struct told {
	const void *place;
	uint64_t ticks;
} told[TOLD_MOST];

/* the longest stretch that is not logged, a millisecond, in ticks; 0: nothing is watched yet. Fixed after boot */
static uint64_t limit;

void stop_watch_start(uint64_t ticks)
{
	limit = ticks;
}

/*
 * Return whether a stretch of `ticks` at `place` is to be logged, and remember it if so. The first stretch at a place
 * is logged, and later ones that are longer by a quarter than the last that was logged there.
 */
static bool is_news(const void *place, uint64_t ticks)
{
	struct told *all = *per_cpu_pointer(told);

	for (struct told *at = all; at < all + TOLD_MOST; at++) {
		if (at->place && at->place != place)
			continue;
		if (ticks <= at->ticks + at->ticks / 4)
			return false;
		*at = (struct told){ place, ticks };
		return true;
	}
	return false;
}

static unsigned long long in_us(uint64_t ticks)
{
	return ticks * 1000 / limit;
}

/* Log the stretch in watch.ended. Call with no lock held and interrupts off. */
static void tell_turn(void)
{
	const char *place = per_cpu(watch).ended.place;

	per_cpu(watch).ended.place = NULL;
	if (!is_news(place, per_cpu(watch).ended.ticks))
		return;
	if (per_cpu(watch).ended.vector == TRAP_SYSCALL)
		log_warn("stop: system call %llu had the CPU for %llu us, until %s\n",
			 (unsigned long long)per_cpu(watch).ended.number, in_us(per_cpu(watch).ended.ticks), place);
	else
		log_warn("stop: a task in %s had the CPU for %llu us, until %s\n",
			 per_cpu(watch).ended.vector != NO_TRAP ? trap_name(per_cpu(watch).ended.vector) : "the kernel",
			 in_us(per_cpu(watch).ended.ticks), place);
}

/* ---- interrupts ---- */

void stop_watch_off(const char *place)
{
	if (per_cpu(watch).off_since || !limit)
		return;
	per_cpu(watch).off_place = place;
	per_cpu(watch).off_since = cpu_rdtsc();
}

/* Log how long interrupts were off, if too long. Called when they are about to be turned on, at the address `end`. */
static void interrupts_come(uint64_t end)
{
	uint64_t ticks = per_cpu(watch).off_since ? cpu_rdtsc() - per_cpu(watch).off_since : 0;

	per_cpu(watch).off_since = 0;
	if (per_cpu(watch).ended.place)
		tell_turn();
	if (ticks <= limit || !limit)
		return;
	if (per_cpu(watch).off_place && is_news(per_cpu(watch).off_place, ticks))
		log_warn("stop: interrupts were off for %llu us, from %s to %#llx\n", in_us(ticks),
			 per_cpu(watch).off_place, (unsigned long long)end);
	else if (!per_cpu(watch).off_place && is_news((const void *)per_cpu(watch).off_rip, ticks))
		log_warn("stop: interrupts were off for %llu us, from %s %llu at %#llx\n", in_us(ticks),
			 trap_name(per_cpu(watch).off_vector), (unsigned long long)per_cpu(watch).off_vector,
			 (unsigned long long)per_cpu(watch).off_rip);
}

void stop_watch_on(void)
{
	interrupts_come((uint64_t)__builtin_return_address(0));
}

/* ---- turns ---- */

static void begin_turn(const struct trap_frame *frame)
{
	per_cpu(watch).turn_vector = frame ? frame->vector : NO_TRAP;
	per_cpu(watch).turn_number = frame ? frame->error : 0;
	per_cpu(watch).turn_since = limit ? cpu_rdtsc() : 0;
}

void stop_watch_turn(const struct trap_frame *frame)
{
	begin_turn(frame);
}

void stop_watch_turn_ends(const char *place)
{
	uint64_t ticks = per_cpu(watch).turn_since ? cpu_rdtsc() - per_cpu(watch).turn_since : 0;

	per_cpu(watch).turn_since = 0;
	if (ticks <= limit || !limit || (per_cpu(watch).ended.place && ticks <= per_cpu(watch).ended.ticks))
		return;
	per_cpu(watch).ended.ticks = ticks;
	per_cpu(watch).ended.vector = per_cpu(watch).turn_vector;
	per_cpu(watch).ended.number = per_cpu(watch).turn_number;
	per_cpu(watch).ended.place = place;
}

void stop_watch_step(const char *place)
{
	if (!per_cpu(watch).turn_since)
		return;
	stop_watch_turn_ends(place);
	per_cpu(watch).turn_since = cpu_rdtsc();
}

void stop_watch_call(const struct trap_frame *frame)
{
	/* Measure no stretch from here: the program ran with interrupts on; SYSCALL has turned them off just now. */
	per_cpu(watch).off_since = 0;
	begin_turn(frame);
}

void stop_watch_call_ends(void)
{
	stop_watch_turn_ends("its return");
}

/* ---- traps ---- */

/* Return whether the trap may have started a debugger or the report of a panic, which wait for a person. */
static bool is_people(const struct trap_frame *frame)
{
	return frame->vector == TRAP_DB || frame->vector == TRAP_BP || frame->vector == TRAP_NMI;
}

void stop_watch_trap(const struct trap_frame *frame)
{
	if (frame->rflags & RFLAGS_IF && limit) {
		per_cpu(watch).off_place = NULL;
		per_cpu(watch).off_rip = frame->rip;
		per_cpu(watch).off_vector = frame->vector;
		per_cpu(watch).off_since = cpu_rdtsc();
	}
	if (trap_from_user(frame))
		begin_turn(frame);
}

void stop_watch_trap_ends(const struct trap_frame *frame)
{
	if (is_people(frame)) {
		per_cpu(watch).off_since = frame->rflags & RFLAGS_IF || !limit ? 0 : cpu_rdtsc();
		per_cpu(watch).turn_since = trap_from_user(frame) || !per_cpu(watch).turn_since ? 0 : cpu_rdtsc();
		return;
	}
	if (trap_from_user(frame))
		stop_watch_turn_ends("its return");
	if (frame->rflags & RFLAGS_IF)
		interrupts_come(frame->rip);
}

#endif
