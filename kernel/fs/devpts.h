/*
 * devpts, the file system of /dev/pts.
 */
#pragma once

/* Make the file system known to mount(2). Call once. */
void devpts_init(void);
