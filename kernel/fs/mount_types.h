/*
 * The kinds of file systems that need nothing but this layer: tmpfs, devtmpfs, sysfs.
 */
#pragma once

/* Make them known to mount(2). Once. */
void mount_types_init(void);
