/*
 * The files of /sys/devices/system/cpu: which CPUs there are, and which of them share a core or a package, as lscpu(1),
 * nproc(1) and C libraries read it.
 */
#pragma once

#include "kernel/fs/text.h"
#include "kernel/task/cpu_set.h"

/*
 * Register the files in sysfs. Call once, after the CPUs have started and before sysfs is mounted. Returns 0, or
 * -ENOMEM: then the directories of the CPUs are missing.
 */
int cpu_files_init(void);

/*
 * Add to the text those CPUs of the set that run, and a line end. cpu_files_add_list() writes a list, "0-3,5";
 * cpu_files_add_mask() a number in base 16, with a comma between two words of 32 bits.
 */
void cpu_files_add_list(struct text *text, const struct cpu_set *set);
void cpu_files_add_mask(struct text *text, const struct cpu_set *set);
