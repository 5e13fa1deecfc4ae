/*
 * Finds the frames that hold ACPI tables (ACPI 6.5, "System Description Table Architecture") and marks them in the
 * memory map, so that the kernel does not reuse them. UEFI wants ACPI tables in memory of their own types, but U-Boot
 * has its root table in boot-services memory. A table is read only if the map names its memory as RAM, which the
 * firmware's page tables map identically (UEFI 2.10, "x64 Platforms"). Checksums are left to the kernel.
 */
#include "efi/loader.h"
#include "kernel/lib/string.h"

#define RSDP_SIZE     36
#define RSDP_REVISION 15
#define RSDP_RSDT     16
#define RSDP_XSDT     24

#define HEADER     36 /* bytes of the header of all tables but the root pointer */
#define TABLE_MOST (1u << 20)
#define LIST_MOST  64 /* the most tables of a list that are looked at */

#define FADT_FACS   36
#define FADT_DSDT   40
#define FADT_X_FACS 132
#define FADT_X_DSDT 140

static uint32_t u32_at(const uint8_t *at)
{
	uint32_t value;

	__builtin_memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t u64_at(const uint8_t *at)
{
	return u32_at(at) | (uint64_t)u32_at(at + 4) << 32;
}

/* The state of the walk over the tables. */
struct keeper {
	struct memmap *map;
	enum status status;    /* the first error that memmap_add returned; OK: none */
	struct mem_range held; /* the last range found that needs no mark: most tables lie in the same range */
};

/*
 * Mark `size` bytes at `pa` as ACPI tables and return a pointer to them; NULL when not all of them are RAM. The bytes
 * may lie in several ranges of the map, since a table's header is marked before the rest, and marking it splits the
 * range around it.
 */
static const uint8_t *keep(struct keeper *k, uint64_t pa, uint64_t size)
{
	const struct mem_range *r;
	bool marked = true;

	if (pa > UINT64_MAX - size)
		return NULL;
	if (pa >= k->held.start && pa + size <= k->held.end)
		return (const uint8_t *)(uintptr_t)pa;
	for (uint64_t at = pa; at < pa + size; at = r->end) {
		r = memmap_find(k->map, paddr(at));
		if (!r || !mem_type_is_ram((enum mem_type)r->type))
			return NULL;
		if (r->type >= MEM_ACPI_RECLAIM)
			k->held = *r;
		else
			marked = false;
	}
	if (!marked && k->status == OK)
		k->status =
			memmap_add(k->map, align_down(pa, PAGE_SIZE), align_up(pa + size, PAGE_SIZE), MEM_ACPI_RECLAIM);
	return (const uint8_t *)(uintptr_t)pa;
}

/* Mark the whole table at `pa` and return it; NULL when it is not in RAM, or when no table can have its length. */
static const uint8_t *keep_table(struct keeper *k, uint64_t pa)
{
	const uint8_t *table = pa ? keep(k, pa, HEADER) : NULL;

	if (!table || u32_at(table + 4) < HEADER || u32_at(table + 4) > TABLE_MOST)
		return NULL;
	return keep(k, pa, u32_at(table + 4));
}

/*
 * Mark the DSDT and the FACS, which only the FADT names. The FACS is no ordinary table, but has its length at the same
 * offset.
 */
static void keep_of_fadt(struct keeper *k, const uint8_t *fadt)
{
	uint32_t size = u32_at(fadt + 4);

	if (size < FADT_DSDT + 4)
		return;
	(void)keep_table(k, u32_at(fadt + FADT_FACS));
	(void)keep_table(k, u32_at(fadt + FADT_DSDT));
	if (size < FADT_X_DSDT + 8)
		return;
	(void)keep_table(k, u64_at(fadt + FADT_X_FACS));
	(void)keep_table(k, u64_at(fadt + FADT_X_DSDT));
}

/*
 * Mark the tables of a list: an RSDT with addresses of 4 bytes, or an XSDT with 8. Returns false when `pa` has no such
 * list.
 */
static bool keep_list(struct keeper *k, uint64_t pa, const char *signature, uint32_t width)
{
	const uint8_t *list = keep_table(k, pa);
	uint32_t end;

	if (!list || memcmp(list, signature, 4) != 0)
		return false;
	end = u32_at(list + 4);
	if (end > HEADER + LIST_MOST * width)
		end = HEADER + LIST_MOST * width;
	for (uint32_t at = HEADER; end - at >= width; at += width) {
		const uint8_t *table = keep_table(k, width == 8 ? u64_at(list + at) : u32_at(list + at));

		if (table && u32_at(table) == 0x50434146) /* "FACP" */
			keep_of_fadt(k, table);
	}
	return true;
}

enum status loader_keep_acpi(struct memmap *map, paddr_t rsdp)
{
	struct keeper k = { .map = map, .status = OK };
	const uint8_t *root = rsdp.raw ? keep(&k, rsdp.raw, RSDP_SIZE) : NULL;

	if (!root || memcmp(root, "RSD PTR ", 8) != 0)
		return k.status;
	if (root[RSDP_REVISION] < 2 || !keep_list(&k, u64_at(root + RSDP_XSDT), "XSDT", 8))
		(void)keep_list(&k, u32_at(root + RSDP_RSDT), "RSDT", 4);
	return k.status;
}
