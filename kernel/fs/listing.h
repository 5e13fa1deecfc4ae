/*
 * The operations of open directories, which are the same in all file systems: getdents64(2) and lseek(2).
 */
#pragma once

#include "kernel/fs/file.h"

extern const struct file_ops listing_ops;
