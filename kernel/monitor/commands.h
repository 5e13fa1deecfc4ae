/*
 * The monitor's commands that look at the machine, and those that end its run: map, audit, walk, mem, cpu,
 * panic, reboot, poweroff.
 */
#pragma once

/* Make them known to the monitor. report_init() has been called. */
void commands_init(void);
