/*
 * Interrupts between CPUs. The handlers of the first two run without the kernel lock, since its holder may be the CPU
 * that sends them.
 */
#pragma once

#include "kernel/arch/cpus.h"

/*
 * Set the handlers up, and begin to use the kernel lock, which the running CPU holds from then on. Call before other
 * CPUs start.
 */
void cpu_calls_init(void);

/* Set this CPU's interrupt controller and timer up, on a CPU that has started, with interrupts off. */
void cpu_calls_start_cpu(void);

/*
 * Make another CPU look whether a task should run on it: if a program runs there, on its way out of the interrupt; if
 * the CPU idles, in its idle task.
 */
void cpu_call_reschedule(const struct percpu *cpu);

/*
 * Stop all other CPUs for good, by an NMI, which reaches them whatever they do. Returns when they have stopped, or when
 * those that have not had a tenth of a second. When two CPUs call this, the later one stops. Needs no lock: for panics,
 * power-off and restart.
 */
void cpu_calls_stop_others(void);

/*
 * cpu_calls_pause_others: have all other CPUs wait, by an NMI, until cpu_calls_resume_others(); then each calls
 * `on_resume` before it goes on. Returns when they wait, or after a tenth of a second. Call both with interrupts off,
 * in the kernel context; for the gdb stub. cpu_calls_paused_at: return the registers of a CPU that waits, or NULL.
 */
struct trap_frame;
void cpu_calls_pause_others(void (*on_resume)(void));
void cpu_calls_resume_others(void);
struct trap_frame *cpu_calls_paused_at(const struct percpu *cpu);

/*
 * Set the handler of NMIs that come from elsewhere. It returns false when it does not know the NMI, which is then
 * fatal.
 */
void cpu_calls_set_nmi(bool (*handler)(struct trap_frame *frame));
