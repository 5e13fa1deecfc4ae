/*
 * The files of /sys/devices/system/node: of the one node that all memory and all CPUs make, as numactl(8) and libnuma
 * read them.
 */
#pragma once

/* Register the files in sysfs. Call once, after the CPUs have started and before sysfs is mounted. */
void node_files_init(void);
