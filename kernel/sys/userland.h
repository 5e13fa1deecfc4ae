/*
 * Everything that programs need: unpacks the initramfs, sets up file systems, devices and system calls, and runs the
 * first program to its end.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Unpack the initramfs as the root directory, make /dev, and enable system calls. Call once. Returns false when there
 * is no initramfs, or, with a line in the log, when it is damaged or memory does not suffice.
 */
bool userland_init(const struct boot_info *info);

/*
 * Mount /proc and /sys, which have files for each CPU: call once, after userland_init() and cpus_start(). Returns false
 * when memory does not suffice, with a line in the log.
 */
bool userland_mount(const struct boot_info *info);

/*
 * Run the first program: the one of `init=` on the command line, otherwise /init, with the words after "--" as
 * arguments. Returns true when it has ended, with wait4(2)'s status in *ret_status. Returns false for `init=none`,
 * when there is no /init, or, with a line in the log, when the program could not be started.
 */
bool userland_run(const char *cmdline, int *ret_status);
