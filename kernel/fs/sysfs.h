/*
 * sysfs, the file system of /sys: it has only the files that layers above register, none of Linux's device model.
 */
#pragma once

#include "kernel/fs/text_fs.h"

/* Add entries, with paths below sysfs's root; later mounts show them. The entries must stay valid for ever. */
void sysfs_add(struct text_entry *entries, size_t count);
