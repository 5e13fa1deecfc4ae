/*
 * The reports on this machine: at boot into the log, later in the monitor. Knows the live objects, which the
 * printers do not.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/report/print.h"

/* Remember the image's segments. `info` stays; kernel_space_init() has been called. */
void report_init(const struct boot_info *info);

/* Two lines: the CPU's name and numbers, its features. */
void report_cpu(print_fn *print);

/* CR0, CR3, CR4, EFER and PAT as they are now. */
void report_control_registers(print_fn *print);

/* The machine's memory map. */
void report_memory(print_fn *print);

/* How much there is of each type of memory. */
void report_memory_totals(print_fn *print);

/* The live map of the kernel context. */
void report_space(print_fn *print);

/* Both as a picture (kernel/report/map_draw.h) of so many columns, and an empty line. In the kernel context. */
void report_picture(print_fn *print, unsigned columns);

/* The same on the screen only, as wide as that is; nothing without a screen. */
void report_picture_on_screen(void);

/* The live map of the current process's context, for who reads it in a system call. In the kernel context. */
void report_user_space(print_fn *print);

/*
 * The audit of the kernel context, of the firmware context when there is one, and of each process's. Returns whether all is as it
 * must be.
 */
bool report_audit(print_fn *print);
