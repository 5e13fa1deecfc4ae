/*
 * The memory that ACPI tables lie in, for acpi_read(): RAM through the direct map, anything else (reserved memory, the
 * firmware's ROM at 0xe0000) through the MMIO window for as long as somebody looks. Device registers are not looked at:
 * reading one may change something. In the kernel context.
 */
#pragma once

#include "kernel/irq/acpi.h"

#define ACPI_VIEW_MOST 128 /* mappings at once: two for each table */

/* All zero: nothing is mapped. */
struct acpi_view {
	void *mapped[ACPI_VIEW_MOST];
	unsigned count;
};

/* For struct acpi_memory; ctx is a struct acpi_view. What it returns can be read until acpi_view_end(). */
const void *acpi_view_at(void *ctx, paddr_t pa, uint64_t size);

/* Undo all mappings of `view`. */
void acpi_view_end(struct acpi_view *view);
