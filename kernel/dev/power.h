/*
 * Restart and power-off. First the firmware is asked, then ACPI's registers are used. For power-off ACPI's registers
 * come first on a machine whose firmware would restart instead (firmware_off_restarts()). If restarting fails in both
 * ways, the reset methods of older PCs are tried.
 */
#pragma once

/* Restart the machine. Does not return. */
__attribute__((noreturn)) void power_restart(void);

/* Turn the machine off. Returns when no way has worked. */
void power_off(void);
