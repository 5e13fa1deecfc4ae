/*
 * /sys: the files that layers above register. Linux's device model is not there.
 */
#pragma once

#include "kernel/fs/text_fs.h"

/* Entries with paths below the root; mounts from now on show them. They stay for ever. */
void sysfs_add(struct text_entry *entries, size_t count);
