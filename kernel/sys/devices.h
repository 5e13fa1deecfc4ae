/*
 * Starts and stops the devices on PCI that have a driver. A kernel task starts them while the first program runs
 * already, so that the boot does not wait for them.
 */
#pragma once

/* Add the drivers' directories to sysfs. Call once, before sysfs is mounted. */
void devices_files_init(void);

/* Start the kernel task that starts and serves the devices, unless it runs already. Call once tasks can run. */
void devices_start(void);

/* Stop all devices, and wait until the task has ended, which gives back all memory and interrupts that it took. */
void devices_end(void);
