/*
 * Shootdowns: sends the message about one change of a context to the CPUs that it concerns, interrupts them, and waits
 * until each has served it. Does not decide which CPUs a message concerns or what they invalidate: that is tlb.c's
 * task.
 */
#include "kernel/mm/space/shootdown.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/text_patch.h"
#include "kernel/sync/lock.h"

static void (*send_to)(const struct percpu *cpu); /* shootdown_set_sender()'s function. Fixed after boot */

static void (*late)(const struct percpu *cpu); /* shootdown_set_late()'s function; NULL: none. Fixed after boot */
static uint64_t patience; /* how long a CPU may take to serve before `late` is called, in TSC ticks. Fixed after boot */

/* The message. Guard: the CPU that sends it, until all have served it. */
static const struct tlb_message *sent;
static unsigned waiting; /* how many CPUs have not served `sent` yet. Atomic */

static PER_CPU bool wanted;       /* this CPU is to serve the message. Atomic */
static PER_CPU bool gone;         /* this CPU has stopped for good. Atomic */
PER_CPU uint64_t shootdowns_sent; /* guard: own CPU */

void shootdown_set_sender(void (*send)(const struct percpu *cpu))
{
	send_to = send;
}

void shootdown_set_late(void (*is_late)(const struct percpu *cpu), uint64_t ticks)
{
	patience = ticks;
	late = is_late;
}

/*
 * Wait until all CPUs have served the message. The time in which this CPU itself does not run, since gdb has stopped
 * the machine or a hypervisor this CPU, must not count as the other CPUs' delay: so one round of the loop adds a
 * thousandth of `patience` to the wait at the most.
 */
static void wait_for_all(void)
{
	uint64_t waited = 0, before = cpu_rdtsc();

	while (__atomic_load_n(&waiting, __ATOMIC_ACQUIRE)) {
		const uint64_t now = cpu_rdtsc(), step = now - before;

		waited += step < patience / 1000 ? step : patience / 1000;
		before = now;
		cpu_pause();
		if (!late || waited < patience)
			continue;
		CPUS_EACH(cpu) {
			if (__atomic_load_n(per_cpu_of(cpu, wanted), __ATOMIC_RELAXED))
				late(cpu);
		}
	}
}

static bool is_gone(const struct percpu *cpu)
{
	return __atomic_load_n(per_cpu_of(cpu, gone), __ATOMIC_SEQ_CST);
}

/*
 * Have a CPU serve the message. A CPU that stops for good in this moment (shootdown_leave()) may not have seen that it
 * is wanted: take it out of the count then, since it will never serve.
 */
static void ask(const struct percpu *cpu)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(per_cpu_of(cpu, wanted), true, __ATOMIC_SEQ_CST);
	per_cpu(shootdowns_sent)++;
	send_to(cpu);
	if (is_gone(cpu) && __atomic_exchange_n(per_cpu_of(cpu, wanted), false, __ATOMIC_SEQ_CST))
		__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
}

/*
 * While this CPU waits here no message comes to it, since only one CPU sends at a time. The other CPUs serve the
 * message when they turn interrupts on, or while they wait for the kernel lock with interrupts off
 * (kernel_lock_start()). If this CPU held another lock, one of them could wait for that lock with interrupts off, and
 * never serve.
 */
void shootdown(const struct tlb_message *message)
{
	const unsigned here = this_cpu->number;

	lock_check_none("a shootdown");
	sent = message;
	__atomic_store_n(&waiting, 1, __ATOMIC_SEQ_CST);
	CPUS_EACH(cpu) {
		if (cpu->number != here && tlb_concerns(per_cpu_of(cpu, context_tlb), message) && !is_gone(cpu))
			ask(cpu);
	}
	__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	wait_for_all();
}

void shootdown_check_none(const struct tlb_message *message)
{
	CPUS_EACH(cpu) {
		ASSERT(cpu->number == this_cpu->number || !tlb_concerns(per_cpu_of(cpu, context_tlb), message));
	}
}

void shootdown_serve(void)
{
	if (!__atomic_exchange_n(per_cpu_pointer(wanted), false, __ATOMIC_SEQ_CST))
		return;
	tlb_serve(per_cpu_pointer(context_tlb), sent);
	__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
}

NO_BREAK void shootdown_serve_held(void)
{
	if (!__atomic_load_n(per_cpu_pointer(wanted), __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(per_cpu_pointer(wanted), false, __ATOMIC_SEQ_CST))
		return;
	per_cpu_pointer(context_tlb)->ops->flush_all();
	__atomic_sub_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
}

void shootdown_leave(void)
{
	__atomic_store_n(per_cpu_pointer(gone), true, __ATOMIC_SEQ_CST);
	shootdown_serve_held();
}
