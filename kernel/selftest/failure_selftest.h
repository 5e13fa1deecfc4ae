/*
 * Tests of what the kernel does when memory runs out, at every frame that an operation asks for.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/selftest/selftest.h"

/* Tell the tests what the machine has. `info` must last. Call this before the tests run. */
void failure_selftest_init(const struct boot_info *info);

extern const struct selftest_suite failure_selftests;
