/*
 * Reports the firmware's ACPI tables as they are, also those that acpi_read() leaves out as damaged.
 */
#include "kernel/irq/acpi_parse.h"
#include "kernel/report/hwreport.h"

#define TABLES_MOST 64 /* most tables reported of a list: a damaged list may claim millions */

#define FADT_LEAST 44 /* bytes up to the end of the field with the DSDT's address */

#define RSDP_SIZE_1 20
#define RSDP_SIZE_2 36

static const void *bytes_at(const struct acpi_memory *memory, paddr_t pa, uint64_t size)
{
	return pa.raw && pa.raw <= UINT64_MAX - size ? memory->at(memory->ctx, pa, size) : NULL;
}

static const char *checksum_of(const uint8_t *bytes, uint32_t size)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum ? "bad" : "good";
}

/* Report the table at `pa` in a line. Returns the table; its size is 0 when not all of it can be read. */
static struct acpi_table report_table(struct report_block *b, const struct acpi_memory *memory, paddr_t pa)
{
	struct acpi_table table = { .bytes = bytes_at(memory, pa, ACPI_HEADER) };
	char name[5] = "????";

	if (!table.bytes) {
		report_block_line(b, "acpi %s %#llx unreadable", name, (unsigned long long)pa.raw);
		return table;
	}
	for (int i = 0; i < 4; i++)
		if (table.bytes[i] > ' ' && table.bytes[i] <= '~')
			name[i] = (char)table.bytes[i];
	table.size = acpi_u32(table.bytes + 4);
	table.bytes = table.size >= ACPI_HEADER ? bytes_at(memory, pa, table.size) : NULL;
	report_block_line(b, "acpi %s %#llx bytes=%u %s%s", name, (unsigned long long)pa.raw, table.size,
			  table.bytes ? "checksum=" : "unreadable",
			  table.bytes ? checksum_of(table.bytes, table.size) : "");
	if (!table.bytes)
		table.size = 0;
	return table;
}

/*
 * Report the tables of a list: an RSDT with addresses of 4 bytes, or an XSDT with 8. Returns whether the list can be
 * read.
 */
static bool report_list(struct report_block *b, const struct acpi_memory *memory, paddr_t pa, uint32_t width)
{
	struct acpi_table list = report_table(b, memory, pa), table;
	uint32_t count = list.size ? (list.size - ACPI_HEADER) / width : 0;

	if (count > TABLES_MOST)
		count = TABLES_MOST;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *entry = list.bytes + ACPI_HEADER + i * width;

		table = report_table(b, memory, paddr(width == 8 ? acpi_u64(entry) : acpi_u32(entry)));
		if (table.size >= FADT_LEAST && !memcmp(table.bytes, "FACP", 4) && acpi_dsdt_of(table).raw)
			(void)report_table(b, memory, acpi_dsdt_of(table));
	}
	return list.size != 0;
}

void hwreport_acpi(struct report_block *b, const struct acpi_memory *memory, paddr_t rsdp)
{
	const uint8_t *root = bytes_at(memory, rsdp, RSDP_SIZE_1), *extended = NULL;
	uint32_t size = RSDP_SIZE_1;

	if (!root) {
		report_block_line(b, "rsdp %#llx %s", (unsigned long long)rsdp.raw, rsdp.raw ? "unreadable" : "absent");
		return;
	}
	if (root[15] >= 2)
		extended = bytes_at(memory, rsdp, RSDP_SIZE_2);
	if (extended)
		size = RSDP_SIZE_2;
	report_block_line(b, "rsdp %#llx revision=%u checksum=%s extended=%s", (unsigned long long)rsdp.raw, root[15],
			  checksum_of(root, RSDP_SIZE_1), extended ? checksum_of(extended, size) : "absent");
	if (extended && acpi_u64(extended + 24) && report_list(b, memory, paddr(acpi_u64(extended + 24)), 8))
		return;
	/*
	 * If there is no XSDT that can be read, report the RSDT of ACPI 1.0, which lists the same tables. Newer
	 * firmware has it beside the XSDT.
	 */
	if (acpi_u32(root + 16))
		(void)report_list(b, memory, paddr(acpi_u32(root + 16)), 4);
}
