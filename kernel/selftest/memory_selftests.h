/*
 * The self-tests of this directory: memory on the real machine, whatever the models of the host tests say. They need
 * the kernel context, nothing else running, and some hundred free frames.
 */
#pragma once

#include "kernel/selftest/selftest.h"

extern const struct selftest_suite context_selftests; /* context_selftest.c */
extern const struct selftest_suite frame_selftests;   /* memory_selftest.c */
extern const struct selftest_suite window_selftests;  /* memory_selftest.c */
extern const struct selftest_suite heap_selftests;    /* memory_selftest.c */
extern const struct selftest_suite mmio_selftests;    /* mmio_selftest.c */
extern const struct selftest_suite user_selftests;    /* user_selftest.c */
