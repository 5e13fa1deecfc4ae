/*
 * The watchdog, `watchdog=N` on the command line: checks in a periodic non-maskable interrupt whether the machine still
 * makes progress.
 */
#pragma once

/*
 * Watch from now on, by these rules:
 * - When for `seconds` the CPU was not idle, yet no program ran, no system call was made and no task was switched to,
 *   the kernel panics, and the panic page shows where it hangs. This works with interrupts off, too.
 * - When for `seconds` the CPU was idle, no timer is set and no task waits for input, the log says which tasks wait and
 *   where. This is said one time, and again only after there was progress.
 * A warning goes to the log when the machine cannot send these NMIs. `seconds` must be 1 or more.
 */
void watchdog_start(long seconds);
