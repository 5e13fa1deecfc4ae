/*
 * Non-maskable interrupts (NMI) at a steady rate, which arrive even while interrupts are off: they come from the PIT,
 * the timer of the first PCs, through an I/O APIC that delivers them as NMI. The watchdog uses them to find out that
 * the kernel hangs.
 */
#pragma once

#include "paging/types.h"

/*
 * Have an NMI arrive 18 times a second, for as long as the machine runs. Set the handler of TRAP_NMI before.
 * Returns ERR_NOT_FOUND (no I/O APIC has the timer's input). On a machine without a PIT it returns OK, and no
 * NMI arrives.
 */
MUST_CHECK enum status nmi_timer_start(void);
