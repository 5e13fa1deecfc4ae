/*
 * Power-off and restart through ACPI's fixed registers: for machines on which UEFI's runtime services do not work.
 */
#pragma once

/* Turn the machine off (state S5). Returns when the tables tell no way, or when that did not work. Interrupts off. */
void acpi_power_off(void);

/* Restart the machine by ACPI's reset register. Returns when there is none, or when that did not work. */
void acpi_restart(void);
