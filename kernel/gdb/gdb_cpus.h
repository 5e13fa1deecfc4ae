/*
 * Stops the machine for the gdb stub, with all its CPUs. One CPU *owns* the stub from its trap until the machine
 * continues, and pauses the others by an NMI. A CPU that hits a breakpoint meanwhile waits, and owns the stub next; it
 * then has to look whether its breakpoint is still there.
 */
#pragma once

#include "kernel/arch/cpus.h"
#include "kernel/arch/trap.h"

/*
 * gdb_cpus_own: own the stub as soon as no other CPU does. Call with interrupts off. While the other CPUs wait for a
 * step, this one does, too, unless it holds the kernel lock, which the step may need. gdb_cpus_disown: let others own
 * it. gdb_cpus_is_owner: return whether this CPU owns it.
 */
void gdb_cpus_own(void);
void gdb_cpus_disown(void);
bool gdb_cpus_is_owner(void);

/*
 * gdb_cpus_stop: stop the machine, and load the kernel context; frame: the owner's trap. gdb_cpus_resume: let the
 * machine run again; cr3: what gdb_cpus_stop() has returned. Call both as the owner, with DR7 cleared.
 */
uint64_t gdb_cpus_stop(struct trap_frame *frame);
void gdb_cpus_resume(uint64_t cr3);

/*
 * Let the stub call the kernel's memory code for the rest of the stop, if the CPU has stopped in user mode and no other
 * CPU has stopped in the middle of the kernel; take the kernel lock for it. gdb_cpus_stop() has done so already: call
 * this again when the frame has changed.
 */
void gdb_cpus_find_quiet(const struct trap_frame *frame);

/*
 * When the machine continues, have the CPUs that are in user mode wait until this CPU's step is done, as when gdb steps
 * over a breakpoint which it has removed meanwhile; for a tenth of a second at the most, since the step may be a system
 * call that waits for one of their threads. NULL: they need not wait. Call as the owner.
 */
void gdb_cpus_wait_for_step(const struct percpu *cpu);
