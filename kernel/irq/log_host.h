/*
 * What the log (kernel/lib/log.h) needs of the machine: the time-stamp counter, and interrupts off.
 */
#pragma once

/* From now on records have times, which can be read once clock_init has been called; and interrupts may come. */
void log_host_init(void);
