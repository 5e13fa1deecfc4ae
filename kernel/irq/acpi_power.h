/*
 * Power-off and restart through ACPI's fixed registers: for machines whose UEFI runtime services do not.
 */
#pragma once

/* Turn the machine off (state S5). Returns when the tables tell no way, or when it did not work. Interrupts off. */
void acpi_power_off(void);

/* Write the reset register. Returns when there is none, or when it did not work. */
void acpi_restart(void);
