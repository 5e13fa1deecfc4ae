/*
 * The list of the CPUs that the kernel uses. Each is known by its struct percpu, which per_cpu_of() takes to reach the
 * CPU's variables. The first is the one that starts the machine; the others join while the machine boots, and none
 * leaves.
 */
#pragma once

#include "kernel/arch/percpu.h"

#define CPUS_MOST 256

/* The CPUs by their `number`. Fixed after boot */
extern struct percpu *cpu_list[CPUS_MOST];

/* How many entries of cpu_list are CPUs that run. Fixed after boot */
extern unsigned cpu_count;

/* Run the loop's body for each CPU. */
#define CPUS_EACH(cpu) for (struct percpu **at_ = cpu_list, *cpu = *at_; at_ < cpu_list + cpu_count; cpu = *++at_)
