/*
 * From the initramfs to the first program and its end. Joins the layers below: files, devices, tasks.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Unpack the initramfs as the root, make /dev and the mounts, and let programs call. Called once. Returns false when
 * there is no initramfs, or it cannot be used, or memory does not suffice, which a line in the log explains.
 */
bool userland_init(const struct boot_info *info);

/*
 * Run the first program: `init=` of the command line, else /init; the words after "--" are its arguments. Returns true
 * when it has ended: *ret_status is its status as wait4(2) tells it. Returns false for `init=none`, without a /init, or
 * when the program could not be started, which a line in the log explains.
 */
bool userland_run(const char *cmdline, int *ret_status);
