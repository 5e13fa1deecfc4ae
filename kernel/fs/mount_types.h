/*
 * The kinds of file systems that kernel/fs has by itself: tmpfs, devtmpfs, sysfs.
 */
#pragma once

/* Make tmpfs, devtmpfs and sysfs known to mount(2). Call once. */
void mount_types_init(void);
