/*
 * This CPU's local APIC (Intel SDM vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"): in x2APIC mode, by
 * MSRs, where the CPU has it; else in the MMIO window, which only the kernel context maps.
 */
#pragma once

#include "paging/types.h"

enum apic_mode { APIC_X2APIC, APIC_XAPIC };

/*
 * Turn the local APIC on, everything masked, nothing in service.
 * address: of the APIC's registers by the firmware's tables, or 0; where the CPU names another, the CPU's counts.
 * spurious_vector: its last four bits are 1. error_vector: called on an APIC error.
 * Returns ERR_NOT_FOUND (the CPU has no APIC), and what mmio_map returns.
 */
MUST_CHECK enum status apic_init(paddr_t address, unsigned spurious_vector, unsigned error_vector);

/*
 * Make all other CPUs wait, executing nothing, until somebody starts them: an INIT, which a SIPI would follow. So far
 * they are in a loop of the firmware's, in memory of the firmware's (Intel SDM vol. 3A, "Interrupt Command Register
 * (ICR)").
 */
void apic_park_others(void);

enum apic_mode apic_mode(void);

/* Return this CPU's APIC id. */
uint32_t apic_id(void);

/*
 * Tell the APIC that the interrupt has been dealt with. Any context; in xAPIC mode that takes two CR3 writes outside
 * the kernel context.
 */
void apic_end_of_interrupt(void);

/* Return which APIC errors have happened since the last call: the error status register. Any context. */
uint32_t apic_take_errors(void);

/* ---- the local APIC's timer ---- */

enum apic_timer { APIC_TIMER_DEADLINE, APIC_TIMER_COUNT };

/*
 * Set the timer up to signal `vector`, by TSC deadlines where the CPU has them, else by counting down. Not armed yet.
 */
enum apic_timer apic_timer_init(unsigned vector);

/*
 * Have the timer signal when the TSC reaches `tsc`, or at once when it has already; 0: not at all. Any context. Only
 * with APIC_TIMER_DEADLINE.
 */
void apic_timer_set_deadline(uint64_t tsc);

/* Have the timer signal after `count` of its ticks; 0: not at all. Any context. Only with APIC_TIMER_COUNT. */
void apic_timer_set_count(uint32_t count);

/* Return how many ticks are left until the timer signals. */
uint32_t apic_timer_count(void);
