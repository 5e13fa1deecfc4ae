/*
 * Non-maskable interrupts at a steady rate, which come where all other interrupts are off: the first PCs' timer (PIT),
 * sent by an I/O APIC as NMI.
 */
#pragma once

#include "paging/types.h"

/*
 * From now on an NMI comes 18 times a second, for as long as the machine runs. Who handles them has registered.
 * Returns ERR_NOT_FOUND: no I/O APIC has the timer's input. Where there is no timer none comes: nobody can tell.
 */
MUST_CHECK enum status nmi_timer_start(void);
