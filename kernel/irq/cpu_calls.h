/*
 * Interrupts between CPUs: one that makes a CPU look for another task, one that makes it serve a shootdown, and NMIs
 * that stop or pause it. The handlers of the first two run without the kernel lock, since its holder may be the CPU
 * that has sent the interrupt, and waits for the handler.
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
 * Make another CPU look whether another task should run on it: on its way out of the interrupt if a program runs there,
 * or in its idle task if the CPU idles.
 */
void cpu_call_reschedule(const struct percpu *cpu);

/*
 * Stop all other CPUs for good, by an NMI, which interrupts them even while they have interrupts off. Returns when all
 * have stopped, or after a tenth of a second. When two CPUs call this, the later one is stopped, too. Needs no lock:
 * for panics, power-off and restart.
 */
void cpu_calls_stop_others(void);

struct trap_frame;

/* The hooks that a paused CPU calls in the NMI's handler. All of them must be NO_BREAK. Fixed after boot. */
struct cpu_pause {
	void (*begins)(struct trap_frame *frame); /* called before the CPU waits, with the registers it had */
	void (*ends)(void);                       /* called when the CPU has been resumed */
	bool (*stays)(struct trap_frame *frame);  /* called after that until it returns false: the CPU then goes on */
};

/*
 * cpu_calls_pause_others: have all other CPUs wait, by an NMI, until cpu_calls_resume_others(). Returns when they wait,
 * or after a tenth of a second, and says whether all wait. A CPU that is late waits when the NMI arrives, or goes on at
 * once if the others have been resumed by then. cpu_calls_resume_others: let the CPUs go on; returns when all have
 * called `ends`. Call both with interrupts off, in the kernel context, from one CPU at a time; for the gdb stub. During
 * the pause other NMIs than those of this file are dropped.
 */
bool cpu_calls_pause_others(const struct cpu_pause *with);
void cpu_calls_resume_others(void);

/*
 * Return the address that another CPU is at, which an NMI finds even with interrupts off; 0 when that CPU does not take
 * the NMI within a tenth of a second.
 */
vaddr_t cpu_calls_look(const struct percpu *cpu);

/*
 * Set the handler of NMIs that no CPU has sent by a function of this file. The handler returns false when it does not
 * know the NMI's cause, which is then fatal.
 */
void cpu_calls_set_nmi(bool (*handler)(struct trap_frame *frame));
