/*
 * Restart and power-off. The firmware is asked first, then ACPI's registers are used; for power-off the other way round
 * where firmware_off_restarts() says so. Restart has further ways, which PCs have had for decades.
 */
#pragma once

/* Restart the machine. Does not return. */
__attribute__((noreturn)) void power_restart(void);

/* Turn the machine off. Returns when no way has worked. */
void power_off(void);
