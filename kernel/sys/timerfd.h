/*
 * Timers that are read, as far as other calls have to do with them.
 */
#pragma once

/* The wall clock has been set: who reads a timer with TFD_TIMER_CANCEL_ON_SET is told so. */
void timerfd_clock_set(void);
