/*
 * What /proc and /sys say of the CPUs.
 */
#pragma once

struct node;
struct text;

/* Make /proc/cpuinfo: a part for each CPU. Fits the member `make` of struct text_entry. Returns 0. */
int proc_make_cpuinfo(struct node *node, struct text *ret);

/* Add the lines of /proc/stat that tell the times of all CPUs together and of each. */
void proc_add_cpu_times(struct text *text);

/* Add the files of /sys/devices/system/cpu. Call once, at boot. */
void sys_cpus_init(void);
