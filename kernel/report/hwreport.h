/*
 * The hardware report: how the machine and its firmware appear to the kernel, as one block of text that
 * scripts/hwreport2fixture reads. scripts/hwreport.py lists the lines; changing any needs a new version.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/irq/acpi.h"
#include "kernel/report/report_block.h"

#define HWREPORT_TITLE "AnkeOS hardware report version=1"

/*
 * Write the report into the log, and on the consoles whatever their level is, when the word `hwreport` is on the
 * command line. Called once, in the kernel context, before the boot's memory is reclaimed: ACPI tables may lie there.
 * `info` must last.
 */
void hwreport_at_boot(const struct boot_info *info, const char *cmdline);

/*
 * Print the report at any later time. ACPI tables in reclaimed memory are reported as unreadable. In the kernel
 * context.
 */
void hwreport(print_fn *print);

/* Report the root pointer at `rsdp` and each table that hangs from it, sound or not, a line each. */
void hwreport_acpi(struct report_block *b, const struct acpi_memory *memory, paddr_t rsdp);
