/*
 * Restart and power-off: the firmware first, then what PCs have had for decades.
 */
#pragma once

/* Restart the machine. Does not return. */
__attribute__((noreturn)) void power_restart(void);

/* Turn the machine off. Returns when there is no way to. */
void power_off(void);
