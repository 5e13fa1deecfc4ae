/*
 * This CPU's local APIC (Intel SDM vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"). If the CPU has x2APIC
 * mode, the registers are MSRs. If not (xAPIC mode), they are in memory, which only the kernel context maps: the
 * kernel's own page tables, without any process's memory. "Any context" below means that any page tables may be loaded.
 */
#pragma once

#include "paging/types.h"

/* APIC_NONE: there is no local APIC, or the kernel has turned it off. */
enum apic_mode { APIC_NONE, APIC_X2APIC, APIC_XAPIC };

/*
 * Turn the local APIC on. Of its local inputs only the machine's NMI and APIC errors are unmasked. Interrupts that the
 * firmware left in service are ended.
 * address: where the registers are, as the ACPI tables say, or 0; an address in the CPU's own MSR is preferred.
 * spurious_vector: its last four bits must be 1. error_vector: where APIC errors arrive.
 * Returns ERR_NOT_FOUND (the CPU has no APIC), and what mmio_map returns.
 */
MUST_CHECK enum status apic_init(paddr_t address, unsigned spurious_vector, unsigned error_vector);

/*
 * Stop all other CPUs by an INIT: they execute nothing until a SIPI starts them (Intel SDM vol. 3A, "Interrupt Command
 * Register (ICR)"). Until this call they run a loop in the firmware's memory, which the kernel is about to reuse.
 */
void apic_park_others(void);

/*
 * Let the interrupts of the 8259s through, at the vectors that these name. The other CPUs' local APICs must not do the
 * same.
 */
void apic_pass_8259s(void);

/* Turn the local APIC off, and have the interrupts of the 8259s reach the CPU directly. */
void apic_end(void);

/* Turn on the local APIC of another CPU, on which this is called, in the first one's mode. */
void apic_start_cpu(unsigned spurious_vector, unsigned error_vector);

/* Stop the CPU with an APIC id by an INIT: it waits for apic_send_startup(). */
void apic_send_init(uint32_t id);

/*
 * Send a SIPI (startup interrupt) to the CPU whose APIC id is `id`. If that CPU waits after an INIT, it begins in real
 * mode at `page`, which must be below 1 MiB. A CPU that runs ignores the SIPI.
 */
void apic_send_startup(uint32_t id, paddr_t page);

/*
 * apic_send: interrupt another CPU at `vector`. apic_send_nmi: interrupt it by an NMI. May be called in any context. In
 * xAPIC mode the previous command must be delivered first; when its CPU does not take it within some 10 ms, the new one
 * is sent nevertheless.
 */
void apic_send(uint32_t id, unsigned vector);
void apic_send_nmi(uint32_t id);

/* Log the APIC id of a CPU that has not taken a command, if there was one. Call with no lock held. */
void apic_log_undelivered(void);

enum apic_mode apic_mode(void);

/* Return this CPU's APIC id. */
uint32_t apic_id(void);

/*
 * Tell the APIC that the interrupt has been dealt with (EOI). May be called in any context; in xAPIC mode a call
 * outside the kernel context takes two CR3 writes.
 */
void apic_end_of_interrupt(void);

/* Return the error status register: the APIC errors since the last call. May be called in any context. */
uint32_t apic_take_errors(void);

/* ---- the local APIC's timer ---- */

enum apic_timer { APIC_TIMER_DEADLINE, APIC_TIMER_COUNT };

/*
 * Set the timer up to interrupt at `vector`: by TSC deadlines if the CPU has them, otherwise by a count down to 0. The
 * timer is not armed yet.
 */
enum apic_timer apic_timer_init(unsigned vector);

/* Set the timer up to interrupt by a count down to 0 in any case. */
void apic_timer_init_count(unsigned vector);

/*
 * Have the timer interrupt when the TSC reaches `tsc`, or at once when it has already; 0: never. May be called in any
 * context, but only if apic_timer_init() returned APIC_TIMER_DEADLINE.
 */
void apic_timer_set_deadline(uint64_t tsc);

/*
 * Have the timer interrupt after `count` of its ticks; 0: never. May be called in any context, but only if
 * apic_timer_init() returned APIC_TIMER_COUNT, or after apic_timer_init_count().
 */
void apic_timer_set_count(uint32_t count);

/* Return how many ticks are left until the timer interrupts. */
uint32_t apic_timer_count(void);
