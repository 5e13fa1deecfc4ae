/*
 * Power-off and restart through ACPI's fixed registers: for machines on which UEFI's runtime services do not work.
 */
#pragma once

/*
 * Turn the machine off (state S5). Call with interrupts off. Returns when the tables name no way to do so, or when it
 * did not work.
 */
void acpi_power_off(void);

/*
 * Restart the machine by ACPI's reset register. Call with interrupts off. Returns when there is no such register, or
 * when it did not work.
 */
void acpi_restart(void);
