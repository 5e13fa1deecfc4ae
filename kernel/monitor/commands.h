/*
 * The monitor's commands that report on the machine, and those that end its run; the table in commands.c lists them
 * all.
 */
#pragma once

/* Add the commands to the monitor. Call after report_init(). */
void commands_init(void);
