/*
 * The hardware report: what this machine and its firmware are to the kernel, as one block of text that
 * scripts/hwreport2fixture reads. scripts/hwreport.py lists the lines; a change there is a new version.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/irq/acpi.h"
#include "kernel/report/report_block.h"

#define HWREPORT_TITLE "AnkeOS hardware report version=1"

/*
 * With the word `hwreport` on the command line: the report into the log, and on the consoles whatever their level is. Once,
 * in the kernel context, while the boot's memory has not been reclaimed: ACPI tables may lie there. `info` stays.
 */
void hwreport_at_boot(const struct boot_info *info, const char *cmdline);

/* The same at any later time. Tables in memory that has been reclaimed are told as unreadable. In the kernel context. */
void hwreport(print_fn *print);

/* Lines for the root pointer at `rsdp` and each table that hangs from it, sound or not. */
void hwreport_acpi(struct report_block *b, const struct acpi_memory *memory, paddr_t rsdp);
