/*
 * Sends and handles the interrupts between CPUs.
 */
#include "kernel/irq/cpu_calls.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/irq_guard.h"
#include "kernel/arch/text_patch.h"
#include "kernel/arch/trap.h"
#include "kernel/irq/apic.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/timer.h"
#include "kernel/mm/space/shootdown.h"
#include "kernel/sync/kernel_lock.h"
#include "kernel/sync/open_section.h"

static bool (*other_nmi)(struct trap_frame *frame); /* cpu_calls_set_nmi()'s handler; NULL: none. Fixed after boot */
static uint32_t stopper;                            /* number of the CPU that stops all others, plus 1. Atomic */
static unsigned stopped;                            /* how many CPUs have stopped. Atomic */
static const struct cpu_pause *hooks;               /* cpu_calls_pause_others()'s. Guard: the CPU that pauses others */
static uint32_t round;  /* odd: all CPUs but `pauser` are to wait; goes up with each change. Atomic */
static uint32_t pauser; /* number of the CPU that has the others wait, plus 1; 0: none. Atomic */

static PER_CPU bool nmi_sent;       /* an NMI of this file is on its way to this CPU. Atomic */
static PER_CPU vaddr_t seen_at;     /* RIP at the last NMI of this file; 0: cpu_calls_look() waits for it. Atomic */
static PER_CPU uint32_t held_round; /* the value of `round` for which this CPU waits; 0: it runs. Atomic */

/* Do nothing: on its way back from any interrupt a CPU looks whether another task should run. */
static void reschedule(void *ctx)
{
	(void)ctx;
}

static void serve_shootdown(void *ctx)
{
	(void)ctx;
	shootdown_serve();
}

static void send_shootdown(const struct percpu *cpu)
{
	apic_send(cpu->apic_id, VECTOR_SHOOTDOWN);
}

void cpu_call_reschedule(const struct percpu *cpu)
{
	apic_send(cpu->apic_id, VECTOR_RESCHEDULE);
}

static __attribute__((noreturn)) void stop(void)
{
	/* Nobody is to wait for this CPU any more, wherever the NMI has stopped it. */
	shootdown_leave();
	open_section_end();
	__atomic_add_fetch(&stopped, 1, __ATOMIC_RELAXED);
	for (;;) {
		irq_close();
		cpu_halt();
	}
}

/*
 * Send an NMI, unless the last one has not arrived yet: a CPU keeps at most one pending NMI. `nmi_sent` tells the
 * handler that the NMI is this file's even if it arrives when its reason has gone, since an NMI of unknown cause is
 * fatal.
 */
static void send_nmi(const struct percpu *cpu)
{
	if (!__atomic_exchange_n(per_cpu_of(cpu, nmi_sent), true, __ATOMIC_SEQ_CST))
		apic_send_nmi(cpu->apic_id);
}

static NO_BREAK bool is_pausing(void)
{
	return __atomic_load_n(&round, __ATOMIC_ACQUIRE) & 1;
}

/*
 * Wait until the CPU that pauses this one calls cpu_calls_resume_others(), and then as long as the hook `stays` returns
 * true. Meanwhile serve shootdowns. If a further pause begins before this function has returned, the outer loop takes
 * part in it, since the NMI of that pause arrives only after the running handler. If this CPU is late, and the others
 * have been resumed already, the loop is not entered.
 */
static NO_BREAK void pause(struct trap_frame *frame)
{
	uint32_t now;

	while ((now = __atomic_load_n(&round, __ATOMIC_ACQUIRE)) & 1) {
		hooks->begins(frame);
		__atomic_store_n(per_cpu_pointer(held_round), now, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&round, __ATOMIC_ACQUIRE) == now) {
			shootdown_serve_held();
			cpu_pause();
		}
		hooks->ends();
		__atomic_store_n(per_cpu_pointer(held_round), 0, __ATOMIC_SEQ_CST);
		while (!is_pausing() && hooks->stays(frame)) {
			shootdown_serve_held();
			cpu_pause();
		}
	}
}

static NO_BREAK bool nmi(struct trap_frame *frame)
{
	const uint32_t by = __atomic_load_n(&stopper, __ATOMIC_RELAXED), self = this_cpu->number + 1;
	const bool ours = __atomic_exchange_n(per_cpu_pointer(nmi_sent), false, __ATOMIC_SEQ_CST);

	if (ours)
		__atomic_store_n(per_cpu_pointer(seen_at), frame->rip, __ATOMIC_RELAXED);
	if (by && by != self)
		stop();
	if (is_pausing()) {
		if (__atomic_load_n(&pauser, __ATOMIC_RELAXED) != self)
			pause(frame);
		return true;
	}
	return ours || (other_nmi && other_nmi(frame));
}

void cpu_calls_set_nmi(bool (*handler)(struct trap_frame *frame))
{
	other_nmi = handler;
	trap_set_handler(TRAP_NMI, NULL);
	trap_set_handler(TRAP_NMI, nmi);
}

void cpu_calls_stop_others(void)
{
	const uint64_t start = cpu_rdtsc(), most = clock_tsc_frequency() / 10;

	uint32_t by = 0;

	if (cpu_count == 1)
		return;
	if (!__atomic_compare_exchange_n(&stopper, &by, this_cpu->number + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED)) {
		if (by == this_cpu->number + 1)
			return;
		stop();
	}
	CPUS_EACH(cpu)
		if (cpu->number != this_cpu->number)
			send_nmi(cpu);
	while (__atomic_load_n(&stopped, __ATOMIC_RELAXED) < cpu_count - 1 && cpu_rdtsc() - start < most)
		cpu_pause();
}

/* Return whether all CPUs but this one wait in pause() for the pause that is on. */
static bool are_held(void)
{
	CPUS_EACH(cpu) {
		if (cpu->number != this_cpu->number &&
		    __atomic_load_n(per_cpu_of(cpu, held_round), __ATOMIC_ACQUIRE) != round)
			return false;
	}
	return true;
}

bool cpu_calls_pause_others(const struct cpu_pause *with)
{
	const uint64_t start = cpu_rdtsc(), most = clock_tsc_frequency() / 10;

	/* A CPU that waits in an open section would leave its process's page tables half changed. */
	open_sections_forbid();
	while (!open_sections_are_over() && cpu_rdtsc() - start < most)
		cpu_pause();
	hooks = with;
	__atomic_store_n(&pauser, this_cpu->number + 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&round, 1, __ATOMIC_SEQ_CST);
	if (cpu_count == 1)
		return true;
	if (__atomic_load_n(&stopper, __ATOMIC_RELAXED))
		return false;
	CPUS_EACH(cpu)
		if (cpu->number != this_cpu->number)
			send_nmi(cpu);
	while (!are_held() && cpu_rdtsc() - start < most)
		cpu_pause();
	return are_held();
}

NO_BREAK void cpu_calls_resume_others(void)
{
	const uint32_t over = __atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);

	CPUS_EACH(cpu)
		while (__atomic_load_n(per_cpu_of(cpu, held_round), __ATOMIC_ACQUIRE) == over)
			cpu_pause();
	open_sections_allow();
}

vaddr_t cpu_calls_look(const struct percpu *cpu)
{
	const uint64_t start = cpu_rdtsc(), most = clock_tsc_frequency() / 10;

	__atomic_store_n(per_cpu_of(cpu, seen_at), 0, __ATOMIC_SEQ_CST);
	send_nmi(cpu);
	while (!__atomic_load_n(per_cpu_of(cpu, seen_at), __ATOMIC_RELAXED) && cpu_rdtsc() - start < most)
		cpu_pause();
	return __atomic_load_n(per_cpu_of(cpu, seen_at), __ATOMIC_RELAXED);
}

void cpu_calls_init(void)
{
	uint64_t flags;

	per_cpu(percpu).apic_id = apic_id();
	irq_set_vector(VECTOR_RESCHEDULE, reschedule, NULL);
	irq_set_vector(VECTOR_SHOOTDOWN, serve_shootdown, NULL);
	shootdown_set_sender(send_shootdown);
	cpu_calls_set_nmi(other_nmi);
	context_share_tlb();
	flags = irq_guard_enter();
	kernel_lock_start(shootdown_serve);
	irq_use_lock();
	irq_guard_leave(flags);
}

void cpu_calls_start_cpu(void)
{
	apic_start_cpu(VECTOR_SPURIOUS, VECTOR_ERROR);
	timer_start_cpu();
}
