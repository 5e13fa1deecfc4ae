/*
 * /dev/kmsg: what is written becomes lines of the kernel's log; what is read is the log's text as it was at the
 * description's first read.
 */
#pragma once

#include "kernel/fs/file.h"

extern const struct file_ops kmsg_ops;
