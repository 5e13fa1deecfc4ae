/*
 * The memory that ACPI tables lie in, for acpi_read(): RAM through the direct map, anything else (reserved memory, the
 * firmware's ROM at 0xe0000) through the MMIO window until acpi_view_end(). Device registers are not read: reading one
 * may change something. In the kernel context.
 */
#pragma once

#include "kernel/irq/acpi.h"

#define ACPI_VIEW_MOST 128 /* most mappings at once: two for each table */

/* The mappings that acpi_view_at() has made; all zero: none. */
struct acpi_view {
	void *mapped[ACPI_VIEW_MOST];
	unsigned count;
};

/*
 * Return a pointer for struct acpi_memory, good until acpi_view_end(); NULL: they cannot be read there. ctx: a
 * struct acpi_view.
 */
const void *acpi_view_at(void *ctx, paddr_t pa, uint64_t size);

/* Undo all mappings of `view`. */
void acpi_view_end(struct acpi_view *view);
