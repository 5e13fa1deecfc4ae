/*
 * What the log (kernel/lib/log.h) needs of the machine: the time-stamp counter, and a way to turn interrupts off.
 */
#pragma once

/*
 * Give log records times from now on, readable as soon as clock_init has been called. Interrupts may come from now on.
 */
void log_host_init(void);
