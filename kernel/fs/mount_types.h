/*
 * The kinds of file systems that need only this layer: tmpfs, devtmpfs, sysfs.
 */
#pragma once

/* Make these kinds known to mount(2). Called once. */
void mount_types_init(void);
