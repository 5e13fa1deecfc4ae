/*
 * The tables of acpi_sample.h. The offsets are the specification's, not acpi_tables.c's.
 */
#include "test/host/acpi_sample.h"

#include <string.h>

static void put(uint8_t *at, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void sum(uint8_t *table, size_t size, uint8_t *checksum)
{
	uint8_t total = 0;

	*checksum = 0;
	for (size_t i = 0; i < size; i++)
		total = (uint8_t)(total + table[i]);
	*checksum = (uint8_t)-total;
}

void acpi_sample_seal(uint8_t *bytes, size_t at)
{
	uint32_t size = get32(bytes + at + 4);

	if (at == SAMPLE_RSDP) {
		sum(bytes, 20, bytes + 8);
		sum(bytes, 36, bytes + 32);
	} else if (size <= ACPI_SAMPLE_SIZE - at) {
		sum(bytes + at, size, bytes + at + 9);
	}
}

static uint8_t *begin(uint8_t *bytes, size_t at, const char *signature, uint32_t size)
{
	memcpy(bytes + at, signature, 4);
	put(bytes + at + 4, size, 4);
	return bytes + at;
}

static void build_madt(uint8_t *bytes)
{
	static const uint8_t entries[] = {
		0, 8,  0,   0, 1, 0,    0,    0,                             /* CPU, enabled */
		0, 8,  1,   1, 1, 0,    0,    0,                             /* CPU, enabled */
		0, 8,  2,   2, 2, 0,    0,    0,                             /* CPU, could be enabled later */
		9, 16, 0,   0, 0, 1,    0,    0,    1,  0, 0, 0, 3, 0, 0, 0, /* CPU by x2APIC id, enabled */
		1, 12, 0,   0, 0, 0,    0xc0, 0xfe, 0,  0, 0, 0,             /* I/O APIC, from 0 on */
		1, 12, 7,   0, 0, 0x10, 0xc0, 0xfe, 24, 0, 0, 0,             /* another, from 24 on */
		2, 10, 0,   0, 2, 0,    0,    0,    0,  0,                   /* ISA 0 is 2 */
		2, 10, 0,   9, 9, 0,    0,    0,    15, 0,                   /* ISA 9: low, level */
		4, 6,  255, 0, 0, 1,                                         /* NMI: not read */
		5, 12, 0,   0, 0, 0,    0xe0, 0xfe, 1,  0, 0, 0,             /* local APIC above 4 GiB */
	};
	uint8_t *t = begin(bytes, SAMPLE_MADT, "APIC", 44 + sizeof(entries));

	put(t + 36, 0xfee00000, 4);
	put(t + 40, 1, 4);
	memcpy(t + 44, entries, sizeof(entries));
	acpi_sample_seal(bytes, SAMPLE_MADT);
}

static void build_fadt(uint8_t *bytes)
{
	uint8_t *t = begin(bytes, SAMPLE_FADT, "FACP", 276);

	put(t + 40, 0xdead0000, 4); /* the DSDT's old place: X_DSDT counts */
	put(t + 48, 0xb2, 4);
	t[52] = 2;
	put(t + 56, 0x600, 4);
	put(t + 64, 0x604, 4);
	put(t + 76, 0x608, 4);
	t[88] = 4;
	t[89] = 2;
	t[91] = 4;
	t[108] = 0x32;
	put(t + 112, 1 << 10, 4);
	t[116] = 1;
	t[117] = 8;
	put(t + 120, 0xcf9, 8);
	t[128] = 0x0f;
	put(t + 140, ACPI_SAMPLE_BASE + SAMPLE_DSDT, 8);
	t[172] = 1; /* X_PM1a_CNT */
	t[173] = 16;
	put(t + 176, 0x804, 8);
	acpi_sample_seal(bytes, SAMPLE_FADT);
}

static void build_dsdt(uint8_t *bytes)
{
	static const uint8_t aml[] = {
		0x5b, 0x80, '_', 'S', '5', '_', /* an OpRegion of that name, no package */
		0x08, '_',  'S', '5', '_', 0x12, 0x0a, 0x04, 0x0a, 0x05, 0x01, 0x00, 0x00,
	};
	uint8_t *t = begin(bytes, SAMPLE_DSDT, "DSDT", 36 + sizeof(aml));

	memcpy(t + 36, aml, sizeof(aml));
	acpi_sample_seal(bytes, SAMPLE_DSDT);
}

void acpi_sample_build(uint8_t bytes[ACPI_SAMPLE_SIZE])
{
	static const uint16_t tables[] = { SAMPLE_MADT, SAMPLE_FADT, SAMPLE_HPET, SAMPLE_MCFG };
	uint8_t *t;

	memset(bytes, 0, ACPI_SAMPLE_SIZE);
	memcpy(bytes, "RSD PTR ", 8);
	bytes[15] = 2;
	put(bytes + 16, ACPI_SAMPLE_BASE + SAMPLE_RSDT, 4);
	put(bytes + 20, 36, 4);
	put(bytes + 24, ACPI_SAMPLE_BASE + SAMPLE_XSDT, 8);
	acpi_sample_seal(bytes, SAMPLE_RSDP);

	begin(bytes, SAMPLE_XSDT, "XSDT", 36 + 8 * 4);
	begin(bytes, SAMPLE_RSDT, "RSDT", 36 + 4 * 4);
	for (size_t i = 0; i < 4; i++) {
		put(bytes + SAMPLE_XSDT + 36 + 8 * i, ACPI_SAMPLE_BASE + tables[i], 8);
		put(bytes + SAMPLE_RSDT + 36 + 4 * i, ACPI_SAMPLE_BASE + tables[i], 4);
	}
	acpi_sample_seal(bytes, SAMPLE_XSDT);
	acpi_sample_seal(bytes, SAMPLE_RSDT);
	build_madt(bytes);
	build_fadt(bytes);
	build_dsdt(bytes);

	t = begin(bytes, SAMPLE_HPET, "HPET", 56);
	put(t + 44, 0xfed00000, 8);
	acpi_sample_seal(bytes, SAMPLE_HPET);
	t = begin(bytes, SAMPLE_MCFG, "MCFG", 60);
	put(t + 44, 0xb0000000, 8);
	t[55] = 0xff;
	acpi_sample_seal(bytes, SAMPLE_MCFG);
}

const void *acpi_sample_ram_at(void *ctx, paddr_t pa, uint64_t size)
{
	const struct acpi_sample_ram *ram = ctx;

	if (pa.raw < ACPI_SAMPLE_BASE || pa.raw - ACPI_SAMPLE_BASE > ram->size ||
	    size > ram->size - (pa.raw - ACPI_SAMPLE_BASE))
		return NULL;
	return ram->bytes + (pa.raw - ACPI_SAMPLE_BASE);
}
