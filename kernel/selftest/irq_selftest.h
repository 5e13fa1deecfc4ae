/*
 * Interrupts and time, tried on the real CPU: about a quarter of a second. Needs interrupts on and the kernel context.
 */
#pragma once

#include "kernel/selftest/selftest.h"

extern const struct selftest_suite time_selftests;
