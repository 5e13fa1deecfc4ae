/*
 * Finds the memory in the firmware's map that the kernel does not use. The loader leaves it out in efi/memory.c, by the
 * same rules: both files must agree.
 */
#include "kernel/report/left_out.h"

#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "paging/layout.h"
#include "paging/types.h"

/* The firmware's memory descriptor (UEFI 2.10, "EFI_BOOT_SERVICES.GetMemoryMap()"). */
struct descriptor {
	uint32_t type, pad;
	uint64_t start, unused, pages, attribute;
};

enum { LOADER_CODE = 1, BOOT_CODE = 3, BOOT_DATA = 4, CONVENTIONAL = 7, PERSISTENT = 14, UNACCEPTED = 15 };

#define WRITE_BACK      (1ULL << 3)
#define SPECIAL_PURPOSE (1ULL << 18)
#define RUNTIME         (1ULL << 63)

enum kind { USED, SPECIAL, PERSISTS, NOT_ACCEPTED, NOT_CACHED, KEPT, NOT_REACHED, BEHIND, KINDS };

static const char *const names[KINDS] = {
	[SPECIAL] = "for special purposes",
	[PERSISTS] = "persistent",
	[NOT_ACCEPTED] = "not accepted by this guest",
	[NOT_CACHED] = "that must not be cached",
	[KEPT] = "of boot services, which runtime services go on using",
	[NOT_REACHED] = "beyond the CPU's physical addresses",
	[BEHIND] = "above 16 TiB, where the direct map ends",
};

static enum kind kind_of(const struct descriptor *d, unsigned physical_bits)
{
	if (d->type == PERSISTENT)
		return PERSISTS;
	if (d->type == UNACCEPTED)
		return NOT_ACCEPTED;
	if (!(d->type >= LOADER_CODE && d->type <= BOOT_DATA) && d->type != CONVENTIONAL)
		return USED;
	if (d->attribute && !(d->attribute & WRITE_BACK))
		return NOT_CACHED;
	if (d->type == CONVENTIONAL && d->attribute & SPECIAL_PURPOSE)
		return SPECIAL;
	if (d->start >> physical_bits)
		return NOT_REACHED;
	if (d->start >= HHDM_SIZE)
		return BEHIND;
	return d->type >= BOOT_CODE && d->type <= BOOT_DATA && d->attribute & RUNTIME ? KEPT : USED;
}

void left_out_print(print_fn *print, const void *map, uint64_t bytes, uint64_t step, unsigned physical_bits)
{
	uint64_t pages[KINDS] = { 0 };
	char size[16];

	for (uint64_t at = 0; step >= sizeof(struct descriptor) && bytes - at >= step; at += step) {
		struct descriptor d;

		memcpy(&d, (const uint8_t *)map + at, sizeof(d));
		pages[kind_of(&d, physical_bits)] += d.pages;
	}
	for (int kind = USED + 1; kind < KINDS; kind++)
		if (pages[kind])
			print("memory: %s left out: %s\n", format_size(size, pages[kind] * PAGE_SIZE), names[kind]);
}
