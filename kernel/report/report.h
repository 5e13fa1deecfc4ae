/*
 * The reports on this machine: at boot into the log, later in the monitor. Knows the live objects, which the printers
 * do not.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/report/print.h"

/* Remember the image's segments. `info` must last; kernel_space_init() has been called. */
void report_init(const struct boot_info *info);

/* Print two lines: the CPU's name and numbers, its features. */
void report_cpu(print_fn *print);

/* Print CR0, CR3, CR4, EFER and PAT as they are now. */
void report_control_registers(print_fn *print);

/* Print the machine's memory map. */
void report_memory(print_fn *print);

/* Print how much memory of each type the machine has. */
void report_memory_totals(print_fn *print);

/* Print what the kernel context maps. */
void report_space(print_fn *print);

/* Draw both maps (kernel/report/map_draw.h) in so many columns, and an empty line. In the kernel context. */
void report_picture(print_fn *print, unsigned columns);

/* Draw both maps on the screen only, as wide as the screen is; nothing without a screen. */
void report_picture_on_screen(void);

/* Print what the current process's context maps, for a file that is read in a system call. In the kernel context. */
void report_user_space(print_fn *print);

/*
 * Audit the kernel context, the firmware context when there is one, and each process's, and print the results. Returns
 * whether there is no fault.
 */
bool report_audit(print_fn *print);
