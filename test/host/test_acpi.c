/*
 * The ACPI parsers: a sound machine read whole, and what is left of it when one thing is damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/host/acpi_sample.h"

static uint8_t bytes[ACPI_SAMPLE_SIZE];
static struct acpi_info info;

static int build(void **state)
{
	(void)state;
	acpi_sample_build(bytes);
	return 0;
}

static enum status read_sized(size_t size)
{
	struct acpi_sample_ram ram = { bytes, size };
	const struct acpi_memory memory = { acpi_sample_ram_at, &ram };

	return acpi_read(&memory, paddr(ACPI_SAMPLE_BASE), &info);
}

static enum status read(void)
{
	return read_sized(sizeof(bytes));
}

static void expect_fault(unsigned n, const char *table, const char *what)
{
	assert_true(n < info.fault_count);
	assert_string_equal(info.faults[n].table, table);
	assert_string_equal(info.faults[n].what, what);
}

/* Only this went wrong. */
static void expect_one_fault(const char *table, const char *what)
{
	assert_int_equal(read(), OK);
	expect_fault(0, table, what);
	assert_int_equal(info.fault_count, 1);
}

static void a_sound_machine(void **state)
{
	static const struct acpi_io_apic second = { 7, { 0xfec01000 }, 24 };

	(void)state;
	assert_int_equal(read(), OK);
	assert_int_equal(info.fault_count, 0);
	assert_true(info.has_madt && info.has_8259);
	assert_int_equal(info.cpus, 3);
	assert_int_equal(info.local_apic.raw, 0x1fee00000);
	assert_int_equal(info.io_apic_count, 2);
	assert_int_equal(info.io_apics[0].pa.raw, 0xfec00000);
	assert_int_equal(info.io_apics[1].id, second.id);
	assert_int_equal(info.io_apics[1].pa.raw, second.pa.raw);
	assert_int_equal(info.io_apics[1].first_gsi, second.first_gsi);
	assert_int_equal(info.override_count, 2);
	assert_int_equal(info.overrides[0].isa, 0);
	assert_int_equal(info.overrides[0].gsi, 2);
	assert_int_equal(info.overrides[0].flags, 0);
	assert_int_equal(info.overrides[1].isa, 9);
	assert_int_equal(info.overrides[1].flags, ACPI_ACTIVE_LOW | ACPI_LEVEL);

	assert_true(info.has_fadt && !info.hardware_reduced);
	assert_int_equal(info.smi_command, 0xb2);
	assert_int_equal(info.acpi_enable, 2);
	assert_int_equal(info.pm1a_event.address, 0x600);
	assert_int_equal(info.pm1a_event.bits, 32);
	assert_int_equal(info.pm1a_control.address, 0x804);
	assert_int_equal(info.pm1a_control.space, ACPI_SPACE_IO);
	assert_int_equal(info.pm1b_control.address, 0);
	assert_int_equal(info.reset.address, 0xcf9);
	assert_int_equal(info.reset_value, 0x0f);
	assert_int_equal(info.pm_timer.address, 0x608);
	assert_int_equal(info.pm_timer.space, ACPI_SPACE_IO);
	assert_int_equal(info.pm_timer.bits, 32);
	assert_int_equal(info.century, 0x32);
	assert_true(info.has_s5);
	assert_int_equal(info.s5_type_a, 5);
	assert_int_equal(info.s5_type_b, 1);
	assert_int_equal(info.hpet.raw, 0xfed00000);
	assert_int_equal(info.mcfg_count, 1);
	assert_int_equal(info.mcfgs[0].pa.raw, 0xb0000000);
	assert_int_equal(info.mcfgs[0].last_bus, 255);
}

/* Put an SPCR or a DBG2 of one device where the HPET's table is; the port is at `at` of the space. */
static uint8_t *put_serial(const char *signature, uint8_t space, uint64_t at)
{
	uint8_t *table = bytes + SAMPLE_HPET;
	bool spcr = signature[0] == 'S';
	uint8_t *address = table + (spcr ? 40 : 44 + 22);

	acpi_sample_build(bytes);
	memset(table + 36, 0, 60);
	memcpy(table, signature, 4);
	table[4] = spcr ? 80 : 44 + 22 + 12;
	table[36] = spcr ? 0x12 : 44; /* the interface; where the first device is */
	if (!spcr) {
		table[40] = 1;
		table[44 + 1] = 22 + 12;
		table[44 + 3] = 1;
		table[44 + 13] = 0x80;
		table[44 + 18] = 22;
	}
	address[0] = space;
	memcpy(address + 4, &at, sizeof(at));
	acpi_sample_seal(bytes, SAMPLE_HPET);
	return table;
}

static void serial_ports(void **state)
{
	static const char *const tables[] = { "SPCR", "DBG2" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)put_serial(tables[i], ACPI_SPACE_IO, 0x2f8);
		assert_int_equal(read(), OK);
		assert_int_equal(info.fault_count, 0);
		assert_int_equal(info.serial_count, 1);
		assert_int_equal(info.serials[0].space, ACPI_SPACE_IO);
		assert_int_equal(info.serials[0].address, 0x2f8);
		/* In memory: the access size counts, or else the width; what makes no sense is bytes. */
		for (unsigned access = 0; access < 256; access++) {
			uint8_t *gas = put_serial(tables[i], ACPI_SPACE_MEMORY, 0xfe0000000) + (i ? 44 + 22 : 40);

			gas[1] = 32;
			gas[3] = (uint8_t)access;
			acpi_sample_seal(bytes, SAMPLE_HPET);
			assert_int_equal(read(), OK);
			assert_int_equal(info.serial_count, 1);
			assert_int_equal(info.serials[0].space, ACPI_SPACE_MEMORY);
			assert_int_equal(info.serials[0].address, 0xfe0000000);
			if (access < 4)
				assert_int_equal(info.serials[0].bits, access == 1 ? 8 : access == 2 ? 16 : 32);
			assert_true(info.serials[0].bits == 8 || info.serials[0].bits == 16 ||
				    info.serials[0].bits == 32);
		}
		/* No port at all, beyond the last one, in another space. */
		(void)put_serial(tables[i], 2, 0xfe000000);
		assert_int_equal(read(), OK);
		assert_int_equal(info.serial_count, 0);
		(void)put_serial(tables[i], ACPI_SPACE_IO, 0);
		assert_int_equal(read(), OK);
		assert_int_equal(info.serial_count, 0);
		(void)put_serial(tables[i], ACPI_SPACE_IO, 0x10000);
		assert_int_equal(read(), OK);
		assert_int_equal(info.serial_count, 0);
	}
	/* A device that lies, or says that its registers lie, beyond the table. */
	put_serial("DBG2", ACPI_SPACE_IO, 0x2f8)[36] = 200;
	acpi_sample_seal(bytes, SAMPLE_HPET);
	expect_one_fault("DBG2", "a device beyond its end");
	put_serial("DBG2", ACPI_SPACE_IO, 0x2f8)[44 + 1] = 4;
	acpi_sample_seal(bytes, SAMPLE_HPET);
	expect_one_fault("DBG2", "a device of an impossible length");
	memset(put_serial("DBG2", ACPI_SPACE_IO, 0x2f8) + 44 + 18, 0xff, 2);
	acpi_sample_seal(bytes, SAMPLE_HPET);
	assert_int_equal(read(), OK);
	assert_int_equal(info.serial_count, 0);
}

static void roots(void **state)
{
	const struct acpi_memory nothing = { acpi_sample_ram_at, &(struct acpi_sample_ram){ bytes, 0 } };

	(void)state;
	assert_int_equal(acpi_read(&nothing, paddr(0), &info), ERR_NOT_FOUND);
	assert_int_equal(acpi_read(&nothing, paddr(ACPI_SAMPLE_BASE), &info), ERR_FORMAT);
	expect_fault(0, "RSDP", "not in RAM");
	assert_int_equal(acpi_read(&nothing, paddr(UINT64_MAX - 3), &info), ERR_FORMAT);

	bytes[10] ^= 1;
	assert_int_equal(read(), ERR_FORMAT);
	expect_fault(0, "RSDP", "a wrong signature or checksum");
	assert_false(info.has_madt || info.has_fadt);

	/* The first revision's part is sound: its RSDT is read. */
	acpi_sample_build(bytes);
	bytes[33] ^= 1;
	expect_one_fault("RSDP", "a wrong length or extended checksum");
	assert_true(info.has_madt && info.has_fadt && info.hpet.raw && info.mcfg_count);

	acpi_sample_build(bytes);
	bytes[SAMPLE_XSDT + 12] ^= 1;
	expect_one_fault("XSDT", "a wrong checksum");
	assert_true(info.has_madt && info.has_fadt && info.hpet.raw && info.mcfg_count);

	bytes[SAMPLE_RSDT] = 'X';
	assert_int_equal(read(), ERR_FORMAT);
	expect_fault(1, "RSDT", "another signature");
}

/* One table goes, the others stay. */
static void one_bad_table(void **state)
{
	static const struct {
		size_t at;
		const char *name;
	} tables[] = {
		{ SAMPLE_MADT, "APIC" }, { SAMPLE_FADT, "FACP" }, { SAMPLE_HPET, "HPET" }, { SAMPLE_MCFG, "MCFG" }
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		acpi_sample_build(bytes);
		bytes[tables[i].at + 4] = 37;
		bytes[tables[i].at + 5] = 0;
		acpi_sample_seal(bytes, tables[i].at);
		assert_int_equal(read(), OK);
		expect_fault(0, tables[i].name, i == 3 ? "a wrong length" : "too short");
		assert_false(info.faults[0].used);
		assert_int_equal(info.fault_count, 1);
		assert_int_equal(info.has_madt, i != 0);
		assert_int_equal(info.cpus, i != 0 ? 3 : 0);
		assert_int_equal(info.has_fadt, i != 1);
		assert_int_equal(info.has_s5, i != 1);
		assert_int_equal(info.hpet.raw != 0, i != 2);
		assert_int_equal(info.mcfg_count, i != 3);
	}
}

/* A wrong sum is told, and costs nothing. */
static void wrong_checksums(void **state)
{
	static const struct {
		size_t at;
		const char *name;
	} tables[] = { { SAMPLE_MADT, "APIC" },
		       { SAMPLE_FADT, "FACP" },
		       { SAMPLE_HPET, "HPET" },
		       { SAMPLE_MCFG, "MCFG" },
		       { SAMPLE_DSDT, "DSDT" } };

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		acpi_sample_build(bytes);
		bytes[tables[i].at + 9] ^= 0x80;
		expect_one_fault(tables[i].name, "a wrong checksum");
		assert_true(info.faults[0].used);
		assert_true(info.has_madt && info.has_fadt && info.has_s5 && info.hpet.raw && info.mcfg_count);
	}
}

static void lengths(void **state)
{
	(void)state;
	memset(bytes + SAMPLE_MADT + 4, 0xff, 4);
	expect_one_fault("APIC", "an impossible length");
	memset(bytes + SAMPLE_MADT + 4, 0, 4);
	expect_one_fault("APIC", "an impossible length");
	bytes[SAMPLE_MADT + 6] = 1;
	expect_one_fault("APIC", "not all of it in RAM");

	acpi_sample_build(bytes);
	bytes[SAMPLE_HPET + 4] = 40;
	acpi_sample_seal(bytes, SAMPLE_HPET);
	expect_one_fault("HPET", "too short");
	acpi_sample_build(bytes);
	bytes[SAMPLE_MCFG + 4] = 59;
	acpi_sample_seal(bytes, SAMPLE_MCFG);
	expect_one_fault("MCFG", "a wrong length");
}

/* An entry that is wrong is left out alone; behind an impossible length nothing is read. */
static void madt_entries(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what;
		unsigned cpus, io_apics, overrides;
	} damages[] = {
		/* would be read for ever; beyond the table */
		{ 44 + 1, 0, "an entry of an impossible length, and what follows it, left out", 0, 0, 0 },
		{ 44 + 9, 250, "an entry of an impossible length, and what follows it, left out", 1, 0, 0 },
		{ 44 + 16, 1, "an entry too short for its type left out", 2, 2, 2 }, /* a CPU that now is an I/O APIC */
		{ 44 + 64 + 2, 1, "an override of an interrupt that ISA has not left out", 3, 2, 1 },
		{ 44 + 64 + 3, 16, "an override of an interrupt that ISA has not left out", 3, 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		acpi_sample_build(bytes);
		bytes[SAMPLE_MADT + damages[i].at] = damages[i].value;
		acpi_sample_seal(bytes, SAMPLE_MADT);
		/* The CPU that becomes an I/O APIC was not enabled. */
		expect_one_fault("APIC", damages[i].what);
		assert_true(info.faults[0].used && info.has_madt && info.has_fadt);
		assert_int_equal(info.cpus, i == 2 ? 3 : damages[i].cpus);
		assert_int_equal(info.io_apic_count, damages[i].io_apics);
		assert_int_equal(info.override_count, damages[i].overrides);
	}
}

static void sleep_state(void **state)
{
	uint8_t *package = bytes + SAMPLE_DSDT + 36 + 11;

	(void)state;
	/* A type of more than three bits, an element that is no integer, another object. */
	package[4] = 8;
	acpi_sample_seal(bytes, SAMPLE_DSDT);
	assert_int_equal(read(), OK);
	assert_false(info.has_s5);
	package[3] = 0x70;
	acpi_sample_seal(bytes, SAMPLE_DSDT);
	assert_int_equal(read(), OK);
	assert_false(info.has_s5);
	package[0] = 0x14;
	acpi_sample_seal(bytes, SAMPLE_DSDT);
	assert_int_equal(read(), OK);
	assert_false(info.has_s5);
	assert_int_equal(info.fault_count, 0);
}

/* Put AML into the DSDT, or into the HPET table's place as an SSDT of its own. */
static void put_aml(size_t at, const char *signature, const char *aml, size_t size)
{
	memset(bytes + at, 0, 36 + 56);
	memcpy(bytes + at, signature, 4);
	bytes[at + 4] = (uint8_t)(36 + size);
	memcpy(bytes + at + 36, aml, size);
	acpi_sample_seal(bytes, at);
}

static void sleep_state_forms(void **state)
{
#define AML(text) text, sizeof(text) - 1
	static const struct {
		const char *aml;
		size_t size;
		int a, b; /* a negative: none */
	} forms[] = {
		{ AML("\x08_S5_\x12\x06\x04\x0a\x05\x0a\x06"), 5, 6 },
		{ AML("\x08\\_S5_\x12\x06\x02\x0a\x05\x00"), 5, 0 },
		{ AML("\x08^^_S5_\x12\x06\x02\x01\x00"), 1, 0 },
		/* Wider numbers, longer lengths. */
		{ AML("\x08_S5_\x12\x0a\x02\x0b\x07\x00\x0b\x02\x00"), 7, 2 },
		{ AML("\x08_S5_\x12\x4f\x01\x02\x0c\x07\0\0\0\x0e\x03\0\0\0\0\0\0\0"), 7, 3 },
		{ AML("\x08_S5_\x12\xc9\0\0\0\x02\x01\x01"), 1, 1 },
		/* One element with both; a count that is an expression. */
		{ AML("\x08_S5_\x12\x05\x01\x0b\x05\x06"), 5, 6 },
		{ AML("\x08_S5_\x12\x05\x01\x0a\x05"), 5, 0 },
		{ AML("\x08_S5_\x13\x08\x0a\x02\x0a\x05\x0a\x05"), 5, 5 },
		{ AML("\x08_S5_\x13\x06\x01\x0a\x05"), 5, 0 },
		/* A method that returns it. */
		{ AML("\x14\x0f_S5_\x00\xa4\x12\x06\x02\x0a\x05\x0a\x04"), 5, 4 },
		{ AML("\x14\x40\x01\\_S5_\x08\xa4\x12\x04\x02\x01\x01"), 1, 1 },
		/* The name used, not declared; declared as something else; cut off. */
		{ AML("\x70_S5_\x12\x04\x02\x01\x01"), -1, 0 },
		{ AML("_S5_\x12\x04\x02\x01\x01"), -1, 0 },
		{ AML("\x14\x0f_S5_\x00\x70\x12\x04\x02\x01\x01"), -1, 0 },
		{ AML("\x08_S5_\x0a\x05"), -1, 0 },
		{ AML("\x08_S5_\x12\x06\x00\x01\x01"), -1, 0 },
		{ AML("\x08_S5_\x12\x06\x02\x0b\x05\x01\x01"), -1, 0 },
		{ AML("\x08_S5_\x12\x06\x02\x0a"), -1, 0 },
		{ AML("\x08_S5_\x12"), -1, 0 },
		{ AML("\x08_S5_"), -1, 0 },
		/* The second one is sound. */
		{ AML("\x08_S5_\x12\x04\x02\x01\x0a\x09\x08_S5_\x12\x04\x02\x01\x01"), 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (int in_ssdt = 0; in_ssdt < 2; in_ssdt++) {
			acpi_sample_build(bytes);
			put_aml(SAMPLE_DSDT, "DSDT", forms[i].aml, in_ssdt ? 0 : forms[i].size);
			if (in_ssdt)
				put_aml(SAMPLE_HPET, "SSDT", forms[i].aml, forms[i].size);
			assert_int_equal(read(), OK);
			assert_int_equal(info.fault_count, 0);
			assert_int_equal(info.has_s5, forms[i].a >= 0);
			assert_int_equal(info.s5_type_a, forms[i].a < 0 ? 0 : forms[i].a);
			assert_int_equal(info.s5_type_b, forms[i].b);
		}
	}
}

/* RAM that ends anywhere, with the sanitizer behind its end. */
static void every_end_of_ram(void **state)
{
	(void)state;
	for (size_t size = 0; size <= SAMPLE_END; size++) {
		uint8_t *copy = malloc(size ? size : 1);
		struct acpi_sample_ram ram = { copy, size };
		const struct acpi_memory memory = { acpi_sample_ram_at, &ram };

		memcpy(copy, bytes, size);
		assert_int_equal(acpi_read(&memory, paddr(ACPI_SAMPLE_BASE), &info) == OK,
				 size >= SAMPLE_XSDT + 36 + 32);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_sound_machine, build),   cmocka_unit_test_setup(roots, build),
		cmocka_unit_test_setup(one_bad_table, build),     cmocka_unit_test_setup(lengths, build),
		cmocka_unit_test_setup(madt_entries, build),      cmocka_unit_test_setup(sleep_state, build),
		cmocka_unit_test_setup(sleep_state_forms, build), cmocka_unit_test_setup(wrong_checksums, build),
		cmocka_unit_test_setup(every_end_of_ram, build),  cmocka_unit_test_setup(serial_ports, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
