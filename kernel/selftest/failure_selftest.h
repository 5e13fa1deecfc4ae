/*
 * What the kernel does when memory runs out, tried at every frame that it asks for.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/selftest/selftest.h"

/* What the machine has is in `info`, which stays. Call it before the tests. */
void failure_selftest_init(const struct boot_info *info);

extern const struct selftest_suite failure_selftests;
