/*
 * Interface of timerfd_create(2)'s timers (sys_timerfd.c) for other system calls.
 */
#pragma once

/* Make reads of timers with TFD_TIMER_CANCEL_ON_SET return -ECANCELED, since the wall clock was set; wake readers. */
void timerfd_clock_set(void);
