/*
 * Everything that programs need: unpacks the initramfs, sets up file systems, devices and system calls, and runs the
 * first program to its end.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Unpack the initramfs as the root directory, make /dev, and enable system calls. Call once. Returns false when there
 * is no initramfs, or, with a line in the log, when memory does not suffice.
 */
bool userland_init(const struct boot_info *info);

/*
 * Mount /proc and /sys, which have files for each CPU: call once, after userland_init() and cpus_start(). Returns false
 * when memory does not suffice, with a line in the log.
 */
bool userland_mount(const struct boot_info *info);

/*
 * Run the first program, which first_program_start() chooses. Returns true when it has ended, with wait4(2)'s status in
 * *ret_status; false when none was started.
 */
bool userland_run(const char *cmdline, int *ret_status);
