/*
 * The reports on this machine: at boot into the log, later in the monitor (the kernel's own prompt) and in files of
 * sysfs. The printers in this directory take what they print as arguments; report.c passes them the kernel's own memory
 * map, spaces and processes.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/report/print.h"

/* Remember the image's segments. Call after kernel_space_init(); `info` must stay valid for ever. */
void report_init(const struct boot_info *info);

/* Print the CPU's name and numbers, and its features. */
void report_cpu(print_fn *print);

/* Print CR0, CR3, CR4, EFER and PAT as they are now. */
void report_control_registers(print_fn *print);

/* Print the machine's memory map. */
void report_memory(print_fn *print);

/* Print how much memory of each type the machine has. */
void report_memory_totals(print_fn *print);

/* Print what the kernel context, the kernel's own page tables, maps. */
void report_space(print_fn *print);

/*
 * Draw physical memory and the kernel context's mappings (kernel/report/map_draw.h), `columns` columns wide, and an
 * empty line. Call in the kernel context, which alone maps all RAM.
 */
void report_picture(print_fn *print, unsigned columns);

/* Call report_picture() for the screen alone, with the screen's width. Does nothing when the machine has no screen. */
void report_picture_on_screen(void);

/* Print what the current process's page tables map. Call in a system call, in the kernel context. */
void report_user_space(print_fn *print);

/*
 * Audit (kernel/report/audit.h) the page tables of the kernel context, of the firmware context when there is one, and
 * of each process, and print the results. Returns whether there is no fault.
 */
bool report_audit(print_fn *print);
