/*
 * The operations of an open directory: reading its names. All file systems use the same.
 */
#pragma once

#include "kernel/fs/file.h"

extern const struct file_ops listing_ops;
