/*
 * The machine's MMIO window: a struct mmio_window that maps into the kernel's space and checks against the machine's
 * memory map.
 */
#include "kernel/mm/space/mmio.h"

#include "kernel/arch/features.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"
#include "kernel/mm/space/kernel_space.h"
#include "kernel/mm/space/mmio_window.h"

static void flush_kernel(struct tlb_flush *flush)
{
	context_flush(&kernel_context, flush);
}

/* The machine's only MMIO window. Guard: tasks only, which the kernel does not preempt. */
static struct mmio_window window = { .space = &kernel_space, .flush = flush_kernel };

void mmio_init(void)
{
	window.map = machine_memmap;
	window.limit = 1ULL << cpu_features()->physical_bits;
	if (mmio_window_init(&window, &direct_map_pages) != OK)
		panic("no memory for the MMIO window");
}

enum status mmio_map(paddr_t pa, uint64_t size, enum page_prot type, void **ret)
{
	context_token_t token = kernel_context_enter();
	enum status status = mmio_window_map(&window, pa, size, type, ret);

	kernel_context_leave(token);
	return status;
}

void mmio_unmap(void *p)
{
	context_token_t token = kernel_context_enter();

	mmio_window_unmap(&window, p);
	kernel_context_leave(token);
}
