/*
 * Tests of interrupts and time on the real CPU; they take a quarter of a second. Need interrupts on, and the kernel
 * context.
 */
#pragma once

#include "kernel/selftest/selftest.h"

extern const struct selftest_suite time_selftests;
