/*
 * The hardware report: how the machine and its firmware appear to the kernel, as one block of text that
 * scripts/hwreport2fixture reads. scripts/hwreport.py lists the lines; a change of a line raises the version in the
 * title.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/irq/acpi.h"
#include "kernel/report/report_block.h"

#define HWREPORT_TITLE "AnkeOS hardware report version=1"

/*
 * Write the report into the log, and on the consoles whatever their level is, when the word `hwreport` is on the
 * command line. Call once, in the kernel context (the page tables that alone map all RAM), before the memory of the
 * loader and of boot services is given to the allocator: ACPI tables may lie there. `info` must stay valid for ever.
 */
void hwreport_at_boot(const struct boot_info *info, const char *cmdline);

/*
 * Print the report at any later time. ACPI tables in memory that the allocator has taken over are reported as
 * unreadable. Call in the kernel context.
 */
void hwreport(print_fn *print);

/* Print a line for the root pointer at `rsdp`, and one for each table that it leads to, damaged ones included. */
void hwreport_acpi(struct report_block *b, const struct acpi_memory *memory, paddr_t rsdp);
