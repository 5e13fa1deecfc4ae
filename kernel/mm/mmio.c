/*
 * Hands out the MMIO window from its start upwards. Refuses RAM: two memory types for
 * one frame would meet in the caches.
 */
#include "kernel/mm/mmio.h"

#include "kernel/arch/features.h"
#include "kernel/mm/kernel_space.h"
#include "paging/layout.h"

static vaddr_t next = MMIO_BASE;

/* Is there RAM of the machine's map in [start, end)? */
static bool has_ram(uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < machine_memmap->count; i++) {
		const struct mem_range *r = &machine_memmap->ranges[i];

		if (r->start < end && r->end > start && mem_type_is_ram((enum mem_type)r->type))
			return true;
	}
	return false;
}

enum status mmio_map(paddr_t pa, uint64_t size, enum page_prot type, void **ret)
{
	uint64_t limit = 1ULL << cpu_features()->physical_bits;
	uint64_t start = align_down(pa.raw, PAGE_SIZE), end;
	vaddr_t va;
	enum status status;

	if (!size || pa.raw >= limit || size > limit - pa.raw)
		return ERR_RANGE;
	end = align_up(pa.raw + size, PAGE_SIZE);
	if (has_ram(start, end))
		return ERR_EXISTS;
	/* Congruent modulo 2 MiB, so that large leaves fit; a page is left free as a guard. */
	va = align_up(next + PAGE_SIZE, PAGE_SIZE_2M) + (start & (PAGE_SIZE_2M - 1));
	if (va - MMIO_BASE >= MMIO_SIZE || end - start > MMIO_SIZE - (va - MMIO_BASE))
		return ERR_NO_MEMORY;
	status = space_map(&kernel_space, va, paddr(start), (end - start) / PAGE_SIZE, PROT_W | (type & PROT_TYPE));
	if (status != OK)
		return status;
	next = va + (end - start);
	*ret = (void *)(va + (pa.raw - start));
	return OK;
}
