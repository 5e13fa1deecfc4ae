/*
 * This CPU's local APIC (Intel SDM vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"): in x2APIC mode, by
 * MSRs, where the CPU has it; else in the MMIO window, which only the kernel context maps.
 */
#pragma once

#include "paging/types.h"

enum apic_mode { APIC_X2APIC, APIC_XAPIC };

/*
 * Turn it on, everything masked, nothing in service. address: of its registers by the firmware's tables, 0 when those
 * say nothing; the CPU knows it too. spurious_vector: its last four bits are 1; error_vector: called on an APIC error.
 * Returns ERR_NOT_FOUND (the CPU has none), and what mmio_map returns.
 */
MUST_CHECK enum status apic_init(paddr_t address, unsigned spurious_vector, unsigned error_vector);

/*
 * Have all other CPUs wait, executing nothing, until somebody starts them: an INIT, which SIPIs would follow. The firmware
 * left them in a loop of its own, in its own memory (Intel SDM vol. 3A, "Interrupt Command Register (ICR)").
 */
void apic_park_others(void);

enum apic_mode apic_mode(void);

/* This CPU's. */
uint32_t apic_id(void);

/* The interrupt has been dealt with. Any context, though outside the kernel context xAPIC mode costs two CR3 writes. */
void apic_end_of_interrupt(void);

/* What went wrong since the last call: the error status register. Any context. */
uint32_t apic_take_errors(void);

/* ---- its timer ---- */

enum apic_timer { APIC_TIMER_DEADLINE, APIC_TIMER_COUNT };

/* Set the timer up to signal `vector`, by TSC deadlines where the CPU has them, else by counting down. Not armed. */
enum apic_timer apic_timer_init(unsigned vector);

/* With APIC_TIMER_DEADLINE: signal when the TSC reaches `tsc`, at once when it has; 0: not at all. Any context. */
void apic_timer_set_deadline(uint64_t tsc);

/* With APIC_TIMER_COUNT: signal after `count` ticks of the timer; 0: not at all. Any context. */
void apic_timer_set_count(uint32_t count);

/* What is left of the count. */
uint32_t apic_timer_count(void);
