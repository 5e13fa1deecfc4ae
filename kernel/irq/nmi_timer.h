/*
 * Non-maskable interrupts at a steady rate, which arrive even where all other interrupts are off: from the first PCs'
 * timer (PIT), through an I/O APIC that sends them as NMI.
 */
#pragma once

#include "paging/types.h"

/*
 * Have an NMI arrive 18 times a second, for as long as the machine runs. The NMI's handler must have been set before.
 * Returns ERR_NOT_FOUND: no I/O APIC has the timer's input. On a machine without a PIT none arrives, and nobody can
 * tell.
 */
MUST_CHECK enum status nmi_timer_start(void);
