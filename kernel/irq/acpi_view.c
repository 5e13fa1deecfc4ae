/*
 * Maps ACPI tables for reading. The tables' addresses come from the firmware and may be wrong. So the machine's memory
 * map decides how an address is reached, and whether it may be read at all.
 */
#include "kernel/irq/acpi_view.h"

#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/mmio.h"

const void *acpi_view_at(void *ctx, paddr_t pa, uint64_t size)
{
	const struct mem_range *r = memmap_find(machine_memmap, pa);
	struct acpi_view *view = ctx;

	if (r && mem_type_is_ram((enum mem_type)r->type))
		return size <= r->end - pa.raw && r->end <= HHDM_SIZE ? hhdm_ptr(pa) : NULL;
	if ((r && r->type != MEM_RESERVED) || view->count == ACPI_VIEW_MOST)
		return NULL;
	/* Map write-through, so that reads are cached: tables of 100 KB are read byte by byte, and never written. */
	if (mmio_map(pa, size, PROT_WT, &view->mapped[view->count]) != OK)
		return NULL;
	return view->mapped[view->count++];
}

void acpi_view_end(struct acpi_view *view)
{
	while (view->count)
		mmio_unmap(view->mapped[--view->count]);
}
