/*
 * Where a CPU is, for the line that names one which does not answer.
 */
#pragma once

#include "kernel/arch/cpus.h"

#define CPU_WHERE_TEXT 256

/* Write where another CPU is, and which task it runs, to `text`, and return that. Interrupts the CPU by an NMI. */
char *cpu_where(const struct percpu *cpu, char text[CPU_WHERE_TEXT]);

/* From now on a CPU that serves no shootdown for ten seconds is a panic that names it. */
void cpu_where_init(void);
