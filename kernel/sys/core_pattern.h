/*
 * /proc/sys/kernel/core_pattern and core_uses_pid: how core files are named (core(5)).
 */
#pragma once

#include "kernel/fs/text_fs.h"

/* Add the files to /proc. */
void core_pattern_init(struct text_fs_type *type);
