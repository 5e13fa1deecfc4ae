/*
 * The watchdog, `watchdog=N` on the command line: sees by non-maskable interrupts whether the machine still makes
 * progress.
 */
#pragma once

/*
 * Watch from now on, by these rules:
 * - a kernel that has been at one thing for `seconds`, with interrupts on or off, ends in a panic that shows where: no
 *   program ran, no system call was made and no task was switched to;
 * - when for `seconds` no task could run, no timer is set and no task waits for input, the log says which tasks wait
 * and where;
 *   once, until something happens again.
 * The log says so when the machine cannot do that. `seconds`: 1 or more.
 */
void watchdog_start(long seconds);
