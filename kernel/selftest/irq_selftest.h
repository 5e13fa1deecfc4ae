/*
 * Tests of interrupts and time on the real CPU; they take a quarter of a second. Run them with interrupts on, in the
 * kernel context (the page tables that alone map devices).
 */
#pragma once

#include "kernel/selftest/selftest.h"

extern const struct selftest_suite time_selftests;
