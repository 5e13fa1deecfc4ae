/*
 * Sizes, offsets and numbers as the host's C library has them, in the order of test_fs_layout.c.
 */
#pragma once

#include <stddef.h>

extern const size_t linux_layout[];
extern const size_t linux_layout_count;
unsigned long linux_makedev(unsigned major, unsigned minor);
