/*
 * The monitor's commands that report on the machine, and those that make it panic, restart or turn off.
 */
#pragma once

/* Add the commands to the monitor. Call after report_init(). */
void commands_init(void);
