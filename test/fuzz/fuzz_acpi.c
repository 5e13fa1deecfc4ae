/*
 * ACPI tables in a small machine's RAM, which the input is; the root pointer lies at its beginning. Checksums are made
 * right, or no damage but theirs would ever be seen: the first byte's low bits say of which tables.
 */
#include "test/fuzz/fuzz.h"
#include "test/host/acpi_sample.h"

static const uint16_t tables[] = { SAMPLE_RSDP, SAMPLE_XSDT, SAMPLE_RSDT, SAMPLE_MADT,
				   SAMPLE_FADT, SAMPLE_HPET, SAMPLE_MCFG, SAMPLE_DSDT };

static void expect_sane(const struct acpi_info *info)
{
	FUZZ_EXPECT(info->io_apic_count <= ACPI_IO_APICS && info->override_count <= ACPI_OVERRIDES);
	FUZZ_EXPECT(info->mcfg_count <= ACPI_MCFGS && info->fault_count <= ACPI_FAULTS);
	FUZZ_EXPECT(info->has_madt || (!info->cpus && !info->io_apic_count && !info->override_count));
	FUZZ_EXPECT(!info->has_s5 || (info->has_fadt && info->s5_type_a < 8 && info->s5_type_b < 8));
	for (unsigned i = 0; i < info->override_count; i++)
		FUZZ_EXPECT(info->overrides[i].isa < 16);
	for (unsigned i = 0; i < info->mcfg_count; i++)
		FUZZ_EXPECT(info->mcfgs[i].first_bus <= info->mcfgs[i].last_bus);
	for (unsigned i = 0; i < info->fault_count; i++)
		FUZZ_EXPECT(info->faults[i].what && info->faults[i].table[4] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t full[ACPI_SAMPLE_SIZE] = { 0 };
	struct acpi_sample_ram ram;
	const struct acpi_memory memory = { acpi_sample_ram_at, &ram };
	struct acpi_info info;

	if (size < 1)
		return 0;
	ram.size = size - 1 < sizeof(full) ? size - 1 : sizeof(full);
	for (size_t i = 0; i < ram.size; i++)
		full[i] = data[1 + i];
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (data[0] >> i & 1)
			acpi_sample_seal(full, tables[i]);
	ram.bytes = fuzz_copy(full, ram.size);
	if (acpi_read(&memory, paddr(ACPI_SAMPLE_BASE), &info) == ERR_FORMAT)
		FUZZ_EXPECT(!info.has_madt && !info.has_fadt);
	expect_sane(&info);
	free((void *)ram.bytes);
	return 0;
}
