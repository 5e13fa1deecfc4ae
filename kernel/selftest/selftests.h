/*
 * The list of all self-tests, run at boot with `selftest` on the command line; `selftest=NAME` runs one suite of them.
 */
#pragma once

#include "kernel/boot/boot_info.h"

/*
 * Run the suite of the name `only`, or all suites when it is NULL; the log gets the results. Call in the kernel
 * context, the only one that maps all RAM. Returns whether all tests passed; false when no suite has that name. Turns
 * off the failing allocations of frames that frame_fail= on the command line asked for.
 */
bool selftests_run(const struct boot_info *info, const char *only);
