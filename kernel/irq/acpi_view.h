/*
 * Gives acpi_read() access to the memory that ACPI tables lie in. Tables in RAM are read through the direct map of all
 * RAM. Tables elsewhere (in reserved memory, or in the firmware's ROM at 0xe0000) are mapped like device memory until
 * acpi_view_end(). Ranges that the memory map gives to devices are refused, since reading a register may change
 * something. Call all functions in the kernel context, the page tables that alone map all RAM and devices.
 */
#pragma once

#include "kernel/irq/acpi.h"

#define ACPI_VIEW_MOST 128 /* most mappings at once. Each table takes two: for its header, then for all of it */

/* The mappings that acpi_view_at() has made; all zero: none. */
struct acpi_view {
	void *mapped[ACPI_VIEW_MOST];
	unsigned count;
};

/*
 * Return a pointer to the `size` bytes at `pa`, valid until acpi_view_end(); NULL when they cannot be read. ctx: a
 * struct acpi_view. Fits the member `at` of struct acpi_memory.
 */
const void *acpi_view_at(void *ctx, paddr_t pa, uint64_t size);

/* Undo all mappings of `view`. */
void acpi_view_end(struct acpi_view *view);
