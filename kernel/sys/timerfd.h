/*
 * What other calls tell timers that are read (timerfd_create(2)).
 */
#pragma once

/* Tell each reader of a timer with TFD_TIMER_CANCEL_ON_SET that the wall clock has been set. */
void timerfd_clock_set(void);
