/*
 * /sys: the files that layers above register. Linux's device model is not in it.
 */
#pragma once

#include "kernel/fs/text_fs.h"

/* Add entries, with paths below the root; later mounts show them. They must last. */
void sysfs_add(struct text_entry *entries, size_t count);
