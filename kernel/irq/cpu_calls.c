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

static bool (*other_nmi)(struct trap_frame *frame); /* cpu_calls_set_nmi()'s handler; NULL: none. Fixed after boot */
static uint32_t stopper;                            /* number of the CPU that stops all others, plus 1. Atomic */
static unsigned stopped;                            /* how many CPUs have stopped. Atomic */
static bool pausing;                                /* all CPUs but one are to wait. Atomic */
static unsigned paused;                             /* how many CPUs wait. Atomic */
static void (*resumed)(void);                       /* cpu_calls_pause_others()'s function. Guard: who pauses others */

static PER_CPU struct trap_frame
	*paused_frame; /* what this CPU was at when it was paused; NULL: it runs. Guard: itself */

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
	__atomic_add_fetch(&stopped, 1, __ATOMIC_RELAXED);
	for (;;) {
		irq_close();
		cpu_halt();
	}
}

/* Wait until the CPU that pauses this one calls cpu_calls_resume_others(), and call its function. */
static void pause(struct trap_frame *frame)
{
	per_cpu(paused_frame) = frame;
	__atomic_add_fetch(&paused, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&pausing, __ATOMIC_ACQUIRE))
		cpu_pause();
	per_cpu(paused_frame) = NULL;
	resumed();
	__atomic_sub_fetch(&paused, 1, __ATOMIC_SEQ_CST);
}

static bool nmi(struct trap_frame *frame)
{
	const uint32_t by = __atomic_load_n(&stopper, __ATOMIC_RELAXED);

	if (by && by != this_cpu->number + 1)
		stop();
	if (__atomic_load_n(&pausing, __ATOMIC_RELAXED)) {
		pause(frame);
		return true;
	}
	return other_nmi && other_nmi(frame);
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
			apic_send_nmi(cpu->apic_id);
	while (__atomic_load_n(&stopped, __ATOMIC_RELAXED) < cpu_count - 1 && cpu_rdtsc() - start < most)
		cpu_pause();
}

void cpu_calls_pause_others(void (*on_resume)(void))
{
	const uint64_t start = cpu_rdtsc(), most = clock_tsc_frequency() / 10;

	if (cpu_count == 1)
		return;
	resumed = on_resume;
	__atomic_store_n(&pausing, true, __ATOMIC_SEQ_CST);
	CPUS_EACH(cpu)
		if (cpu->number != this_cpu->number)
			apic_send_nmi(cpu->apic_id);
	while (__atomic_load_n(&paused, __ATOMIC_ACQUIRE) < cpu_count - 1 && cpu_rdtsc() - start < most)
		cpu_pause();
}

NO_BREAK void cpu_calls_resume_others(void)
{
	__atomic_store_n(&pausing, false, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&paused, __ATOMIC_ACQUIRE))
		cpu_pause();
}

struct trap_frame *cpu_calls_paused_at(const struct percpu *cpu)
{
	return *per_cpu_of(cpu, paused_frame);
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
