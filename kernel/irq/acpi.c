/*
 * Finds the ACPI tables: follows the root pointer to the list of tables and to each table of it, and checks bounds and
 * checksums. What the tables say is read in acpi_tables.c and acpi_sleep.c.
 */
#include "kernel/irq/acpi_parse.h"

/* The longest table accepted, far longer than any seen: a greater length is damage. */
#define TABLE_MOST (16u << 20)

#define RSDP_SIZE_1 20 /* the root pointer's size in ACPI 1.0 */
#define RSDP_SIZE_2 36

struct reader {
	const struct acpi_memory *memory;
	struct acpi_info *info;
};

static void note(struct acpi_info *info, const void *signature, paddr_t pa, const char *what, bool used)
{
	struct acpi_fault *fault;

	if (info->fault_count == ACPI_FAULTS)
		return;
	fault = &info->faults[info->fault_count++];
	for (int i = 0; i < 4; i++) {
		char c = ((const char *)signature)[i];

		fault->table[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	fault->table[4] = '\0';
	fault->what = what;
	fault->pa = pa;
	fault->used = used;
}

static void note_fault(struct acpi_info *info, const void *signature, paddr_t pa, const char *what)
{
	note(info, signature, pa, what, false);
}

void acpi_note(struct acpi_info *info, struct acpi_table table, const char *what)
{
	note(info, table.bytes, table.pa, what, true);
}

static bool sums_to_zero(const uint8_t *bytes, uint64_t size)
{
	uint8_t sum = 0;

	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static const void *bytes_at(const struct reader *r, paddr_t pa, uint64_t size)
{
	return pa.raw && pa.raw <= UINT64_MAX - size ? r->memory->at(r->memory->ctx, pa, size) : NULL;
}

/*
 * Return the table at `pa`. A table that cannot be used is returned with size 0, and the fault is listed under the name
 * `expected` or, if that is NULL, under the signature that the table has.
 */
static struct acpi_table table_at(const struct reader *r, paddr_t pa, const char *expected)
{
	const struct acpi_table none = { .size = 0 };
	struct acpi_table table = { .bytes = bytes_at(r, pa, ACPI_HEADER), .pa = pa };
	const void *name = expected ? (const void *)expected : (const void *)table.bytes;

	if (!table.bytes) {
		note_fault(r->info, expected ? expected : "????", pa, "not in RAM");
		return none;
	}
	table.size = acpi_u32(table.bytes + 4);
	if (expected && memcmp(table.bytes, expected, 4) != 0) {
		note_fault(r->info, name, pa, "another signature");
		return none;
	}
	if (table.size < ACPI_HEADER || table.size > TABLE_MOST) {
		note_fault(r->info, name, pa, "an impossible length");
		return none;
	}
	table.bytes = bytes_at(r, pa, table.size);
	if (!table.bytes) {
		note_fault(r->info, name, pa, "not all of it in RAM");
		return none;
	}
	return table;
}

/*
 * Return the table at `pa` as table_at() does. A table with a wrong checksum is listed as a fault but used, since its
 * content is nearly always sound.
 */
static struct acpi_table summed_table_at(const struct reader *r, paddr_t pa, const char *expected)
{
	struct acpi_table table = table_at(r, pa, expected);

	if (table.size && !sums_to_zero(table.bytes, table.size))
		acpi_note(r->info, table, "a wrong checksum");
	return table;
}

static void read_dsdt(const struct reader *r, struct acpi_table fadt)
{
	paddr_t pa = acpi_dsdt_of(fadt);
	struct acpi_table dsdt;

	if (!pa.raw)
		return;
	dsdt = summed_table_at(r, pa, "DSDT");
	if (dsdt.size)
		acpi_scan_s5(dsdt, r->info);
}

static bool is_there(const struct acpi_info *info, const char *signature)
{
	switch (signature[0]) {
	case 'A':
		return info->has_madt;
	case 'F':
		return info->has_fadt;
	case 'H':
		return info->hpet.raw != 0;
	case 'M':
		return info->mcfg_count != 0;
	default:
		/* SPCR and DBG2 are always read: the serial ports that any of them names are all listed. */
		return false;
	}
}

static void read_table(const struct reader *r, paddr_t pa)
{
	static const struct {
		const char *signature;
		acpi_parser_fn *parse;
	} kinds[] = { { "APIC", acpi_parse_madt }, { "FACP", acpi_parse_fadt }, { "HPET", acpi_parse_hpet },
		      { "MCFG", acpi_parse_mcfg }, { "SPCR", acpi_parse_spcr }, { "DBG2", acpi_parse_dbg2 } };
	struct acpi_table table = summed_table_at(r, pa, NULL);
	struct acpi_info before = *r->info;
	const char *wrong;

	/* The values that turn the machine off (\_S5_) may be in an SSDT instead of the DSDT. */
	if (table.size && memcmp(table.bytes, "SSDT", 4) == 0)
		acpi_scan_s5(table, r->info);
	for (size_t i = 0; table.size && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (memcmp(table.bytes, kinds[i].signature, 4) != 0 || is_there(r->info, kinds[i].signature))
			continue;
		wrong = kinds[i].parse(table, r->info);
		if (wrong) {
			*r->info = before;
			note_fault(r->info, table.bytes, pa, wrong);
		} else if (kinds[i].parse == acpi_parse_fadt) {
			read_dsdt(r, table);
		}
	}
}

/* Read the tables of a list: an RSDT with addresses of 4 bytes (`width`), or an XSDT with 8. */
static bool read_list(const struct reader *r, paddr_t pa, const char *signature, uint32_t width)
{
	struct acpi_table list = table_at(r, pa, signature);

	if (!list.size)
		return false;
	/* RSDT and XSDT list the same tables. So do not use a damaged list: the other list may be sound. */
	if (!sums_to_zero(list.bytes, list.size)) {
		note_fault(r->info, signature, pa, "a wrong checksum");
		return false;
	}
	for (uint32_t at = ACPI_HEADER; list.size - at >= width; at += width) {
		uint64_t entry = width == 8 ? acpi_u64(list.bytes + at) : acpi_u32(list.bytes + at);

		/* Some firmware leaves holes in the list. */
		if (entry)
			read_table(r, paddr(entry));
	}
	return true;
}

/* Read the root pointer and the tables of its list (ACPI 6.5, "Root System Description Pointer (RSDP)"). */
static bool read_root(const struct reader *r, paddr_t pa)
{
	const uint8_t *rsdp = bytes_at(r, pa, RSDP_SIZE_1);
	uint32_t size;

	if (!rsdp) {
		note_fault(r->info, "RSDP", pa, "not in RAM");
		return false;
	}
	if (memcmp(rsdp, "RSD PTR ", 8) != 0 || !sums_to_zero(rsdp, RSDP_SIZE_1)) {
		note_fault(r->info, "RSDP", pa, "a wrong signature or checksum");
		return false;
	}
	if (rsdp[15] >= 2) {
		const uint8_t *extended = bytes_at(r, pa, RSDP_SIZE_2);

		size = extended ? acpi_u32(extended + 20) : 0;
		if (size >= RSDP_SIZE_2 && size <= PAGE_SIZE)
			extended = bytes_at(r, pa, size);
		else
			extended = NULL;
		if (!extended || !sums_to_zero(extended, size))
			note_fault(r->info, "RSDP", pa, "a wrong length or extended checksum");
		else if (acpi_u64(extended + 24) && read_list(r, paddr(acpi_u64(extended + 24)), "XSDT", 8))
			return true;
	}
	/* Without a sound XSDT, use the RSDT of ACPI 1.0, which later revisions still have. */
	return acpi_u32(rsdp + 16) && read_list(r, paddr(acpi_u32(rsdp + 16)), "RSDT", 4);
}

enum status acpi_read(const struct acpi_memory *memory, paddr_t rsdp, struct acpi_info *ret)
{
	const struct reader r = { memory, ret };

	*ret = (struct acpi_info){ 0 };
	if (!rsdp.raw)
		return ERR_NOT_FOUND;
	if (!read_root(&r, rsdp))
		return ERR_FORMAT;
	/*
	 * The sleep types, which turn the machine off, are of no use without an FADT: it names the registers that they
	 * are written to.
	 */
	ret->has_s5 = ret->has_s5 && ret->has_fadt;
	return OK;
}
