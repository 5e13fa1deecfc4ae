/*
 * The list of all self-tests, run at boot with `selftest` on the command line.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Run them all; the log gets the results. Needs the kernel context. Returns whether all held.
 * Frames that the boot wanted to fail (frame_fail=) are forgotten.
 */
bool selftests_run(const struct boot_info *info);
