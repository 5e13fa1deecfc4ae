/*
 * Restart and power-off by the firmware, else by ACPI's registers, which come first where the firmware is known to
 * restart when it should turn off; restart has what PCs have had for decades to fall back on.
 */
#pragma once

/* Restart the machine. Does not return. */
__attribute__((noreturn)) void power_restart(void);

/* Turn the machine off. Returns when there is no way to. */
void power_off(void);
