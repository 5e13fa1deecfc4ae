/*
 * Tests that operations of the kernel fail cleanly when any one of the frames that they allocate is refused.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/selftest/selftest.h"

/* Tell the tests what the machine has. Call before the tests run; `info` must stay valid for ever. */
void failure_selftest_init(const struct boot_info *info);

extern const struct selftest_suite failure_selftests;
