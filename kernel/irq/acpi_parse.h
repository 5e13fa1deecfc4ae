/*
 * What acpi.c, acpi_tables.c and acpi_sleep.c share: a table in memory, and the parsers, one for each kind of table.
 */
#pragma once

#include "kernel/irq/acpi.h"
#include "kernel/lib/string.h"

#define ACPI_HEADER 36 /* bytes of the header that each table begins with; the root pointer has none */

/* A table whose header and length have been checked. */
struct acpi_table {
	const uint8_t *bytes;
	uint32_t size; /* bytes, header included */
	paddr_t pa;
};

/* Read a number, which need not be aligned. The caller must have checked that it lies in the table. */
static inline uint16_t acpi_u16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t acpi_u32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t acpi_u64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/*
 * Add what a table says to *info. Returns NULL, or what is wrong with the table; *info may then have changed in part.
 */
typedef const char *acpi_parser_fn(struct acpi_table table, struct acpi_info *info);
acpi_parser_fn acpi_parse_madt, acpi_parse_fadt, acpi_parse_hpet, acpi_parse_mcfg, acpi_parse_spcr, acpi_parse_dbg2;

/* Add to info->faults what is wrong with a table; the table is used all the same. */
void acpi_note(struct acpi_info *info, struct acpi_table table, const char *what);

/*
 * Look in a DSDT or SSDT for the package \_S5_, which holds the sleep types for power-off, and store them in *info.
 * Finding none is not listed as a fault.
 */
void acpi_scan_s5(struct acpi_table table, struct acpi_info *info);

/* Return the address of the DSDT, which the FADT holds; 0: the FADT names no DSDT. */
paddr_t acpi_dsdt_of(struct acpi_table fadt);
