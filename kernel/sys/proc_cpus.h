/*
 * The files of /proc, and lines in them, that tell about the CPUs.
 */
#pragma once

struct node;
struct text;

/*
 * Make /proc/cpuinfo, with a part for each CPU, and /proc/interrupts, with a column for each. Both fit the member
 * `make` of struct text_entry. Return 0.
 */
int proc_make_cpuinfo(struct node *node, struct text *ret);
int proc_make_interrupts(struct node *node, struct text *ret);

/* Add the lines of /proc/stat that tell the times of all CPUs together and of each. */
void proc_add_cpu_times(struct text *text);
