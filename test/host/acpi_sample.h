/*
 * A machine's ACPI tables, built byte by byte, for tests to damage.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/irq/acpi.h"

/* The RAM that the tables lie in. */
#define ACPI_SAMPLE_BASE 0x10000ULL
#define ACPI_SAMPLE_SIZE 4096

/* Where each table is, from ACPI_SAMPLE_BASE on. */
enum acpi_sample_at {
	SAMPLE_RSDP = 0,
	SAMPLE_XSDT = 64,
	SAMPLE_RSDT = 160,
	SAMPLE_MADT = 256,
	SAMPLE_FADT = 512,
	SAMPLE_HPET = 800,
	SAMPLE_MCFG = 896,
	SAMPLE_DSDT = 1024,
	SAMPLE_END = 1152,
};

/* Fill `bytes` with sound tables. */
void acpi_sample_build(uint8_t bytes[ACPI_SAMPLE_SIZE]);

/* Make the checksum right of the table that starts at `at`: after a wanted damage. */
void acpi_sample_seal(uint8_t *bytes, size_t at);

/* RAM [ACPI_SAMPLE_BASE, + size) for acpi_read: `bytes` may be the end of its own allocation. */
struct acpi_sample_ram {
	const uint8_t *bytes;
	size_t size;
};
const void *acpi_sample_ram_at(void *ctx, paddr_t pa, uint64_t size);
