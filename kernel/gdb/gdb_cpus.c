/*
 * Stops and resumes the CPUs for the stub; see gdb_cpus.h.
 */
#include "kernel/gdb/gdb_cpus.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/text_patch.h"
#include "kernel/gdb/gdb_breaks.h"
#include "kernel/gdb/gdb_memory.h"
#include "kernel/gdb/gdb_threads.h"
#include "kernel/irq/clock.h"
#include "kernel/irq/cpu_calls.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/shootdown.h"
#include "kernel/sync/kernel_lock.h"

static uint32_t owner; /* number of the CPU that owns the stub, plus 1; 0: none does. Atomic */

/* Guard: the owner of the stub, while the machine is stopped. */
static bool all_held; /* all other CPUs wait */
static bool locked;   /* the owner has taken the kernel lock for the stop */

static uint32_t stepping;       /* number of the CPU whose step the others wait for, plus 1; 0: none. Atomic */
static uint64_t stepping_until; /* time-stamp counter until which they wait. Written before `stepping` is. Atomic */

static NO_BREAK bool try_own(void)
{
	uint32_t nobody = 0;

	return __atomic_compare_exchange_n(&owner, &nobody, this_cpu->number + 1, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

NO_BREAK bool gdb_cpus_is_owner(void)
{
	return __atomic_load_n(&owner, __ATOMIC_RELAXED) == this_cpu->number + 1;
}

NO_BREAK void gdb_cpus_disown(void)
{
	__atomic_store_n(&owner, 0, __ATOMIC_SEQ_CST);
}

/*
 * Return whether this CPU has to wait for another one's step. It does so for a tenth of a second at the most: the step
 * may be a system call that waits for a thread of this CPU.
 */
static NO_BREAK bool must_wait_for_step(void)
{
	const uint32_t by = __atomic_load_n(&stepping, __ATOMIC_ACQUIRE);

	return by && by != this_cpu->number + 1 && cpu_rdtsc() < stepping_until;
}

NO_BREAK void gdb_cpus_own(void)
{
	while ((!kernel_lock_is_held() && must_wait_for_step()) || !try_own()) {
		shootdown_serve_held();
		cpu_pause();
	}
}

/* ---- the other CPUs, when the machine is stopped; see struct cpu_pause ---- */

static NO_BREAK void other_goes_on(void)
{
	gdb_threads_let_go();
	gdb_breaks_arm();
}

/*
 * Return whether this CPU, which was paused, stays paused when the machine continues: if it has to wait for a step, and
 * is in user mode, where it holds nothing that the stepping CPU may need.
 */
static NO_BREAK bool other_stays(struct trap_frame *frame)
{
	return trap_from_user(frame) && must_wait_for_step();
}

static const struct cpu_pause other_cpus = { gdb_threads_hold, other_goes_on, other_stays };

void gdb_cpus_find_quiet(const struct trap_frame *frame)
{
	bool quiet = trap_from_user(frame);

	if (quiet && cpu_count > 1 && !kernel_lock_is_held())
		quiet = locked = all_held && gdb_threads_are_outside() && kernel_lock_take_free();
	gdb_memory_set_quiet(quiet);
}

/*
 * CR3 is loaded with the kernel context's root and PCID 0. That is done without kernel/mm/space/tlb.c, since the stop
 * may have interrupted that code while it changes its records. PCID 0 belongs to no context, and both this load of CR3
 * and that of gdb_cpus_resume() flush, so no stale TLB entry is used.
 */
NO_BREAK uint64_t gdb_cpus_stop(struct trap_frame *frame)
{
	const uint64_t cr3 = cpu_read_cr3();

	gdb_breaks_lift();
	if (kernel_space.root.raw)
		cpu_write_cr3(kernel_space.root.raw);
	all_held = cpu_calls_pause_others(&other_cpus);
	gdb_threads_stop(frame);
	gdb_cpus_find_quiet(frame);
	return cr3;
}

NO_BREAK void gdb_cpus_resume(uint64_t cr3)
{
	if (locked)
		kernel_lock_release();
	locked = false;
	gdb_breaks_set();
	cpu_calls_resume_others();
	cpu_write_cr3(cr3);
}

NO_BREAK void gdb_cpus_wait_for_step(const struct percpu *cpu)
{
	if (cpu && cpu_count > 1)
		stepping_until = cpu_rdtsc() + clock_tsc_frequency() / 10;
	__atomic_store_n(&stepping, cpu && cpu_count > 1 ? cpu->number + 1 : 0, __ATOMIC_RELEASE);
}
