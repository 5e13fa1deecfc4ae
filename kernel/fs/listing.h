/*
 * An open directory: reading its names. The same for every file system.
 */
#pragma once

#include "kernel/fs/file.h"

extern const struct file_ops listing_ops;
