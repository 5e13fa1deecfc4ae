/*
 * watchdog=N on the command line: sees from non-maskable interrupts whether this machine still gets on.
 */
#pragma once

/*
 * From now on:
 * - a kernel that has been at one thing for `seconds`, with interrupts on or off, ends in a panic that shows where: no
 *   program ran, no system call was made and no task switched to;
 * - when for `seconds` nobody could run, no timer is set and no task waits for input, who waits is said in the log, once
 *   until something happens again.
 * Says in the log when the machine cannot do that. `seconds`: 1 or more.
 */
void watchdog_start(long seconds);
