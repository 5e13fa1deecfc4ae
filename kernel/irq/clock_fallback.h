/*
 * Another clock than the time-stamp counter, for machines on which that cannot be trusted.
 */
#pragma once

/*
 * Let the HPET, or else the ACPI PM timer, be the clock from now on, and have no timer depend on the time-stamp
 * counter. Call in the kernel context, after irq_init() and before another CPU runs tasks, and not again once it has
 * succeeded. Returns the name of what is the clock now; NULL: the machine has neither, and nothing has changed.
 */
const char *clock_fall_back(void);
