/*
 * From the initramfs to the first program and its end. What lies below is joined here: files, devices, tasks.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Unpack the initramfs as the root, make /dev, put the terminal on the consoles' input. False, with a line in the
 * log, when there is no initramfs or no memory for it.
 */
bool userland_init(const struct boot_info *info);

/*
 * Run the first program: `init=` of the command line, else /init; the words after "--" are its arguments. Returns when it
 * has ended, *ret_status as wait4(2) tells it; false: `init=none`, or there is no /init, or it could not be started, which
 * a line in the log explains.
 */
bool userland_run(const char *cmdline, int *ret_status);
