/*
 * What the log (kernel/lib/log.h) needs of the machine: the time-stamp counter, and a lock.
 */
#pragma once

/*
 * Give the log a clock and a lock. From now on records have times, which can be read in nanoseconds after clock_init(),
 * and interrupt handlers may log.
 */
void log_host_init(void);
