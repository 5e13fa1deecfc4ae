/*
 * The files of /sys/devices/system/cpu: which CPUs there are, and which of them share a core or a package, as lscpu(1),
 * nproc(1) and C libraries read it.
 */
#pragma once

/*
 * Register the files in sysfs. Call once, after the CPUs have started and before sysfs is mounted. Returns 0, or
 * -ENOMEM: then the directories of the CPUs are missing.
 */
int cpu_files_init(void);
