/*
 * The self-tests of memory: they use the real machine, which the host tests only imitate. Run them in the kernel
 * context (the page tables that alone map all RAM), before there are tasks, with some hundred free frames.
 */
#pragma once

#include "kernel/selftest/selftest.h"

extern const struct selftest_suite context_selftests; /* in context_selftest.c */
extern const struct selftest_suite frame_selftests;   /* in memory_selftest.c */
extern const struct selftest_suite window_selftests;  /* in memory_selftest.c */
extern const struct selftest_suite heap_selftests;    /* in memory_selftest.c */
extern const struct selftest_suite mmio_selftests;    /* in mmio_selftest.c */
extern const struct selftest_suite user_selftests;    /* in user_selftest.c */
