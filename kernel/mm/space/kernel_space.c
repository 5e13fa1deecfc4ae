/*
 * Turns the page tables that the loader built into the space of the kernel context. Frames for further tables come from
 * the frame allocator, and go back to it.
 */
#include "kernel/mm/space/kernel_space.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/mm/frame/machine_frames.h"
#include "kernel/mm/space/hhdm.h"

/* The kernel context. Guard: tasks only, which the kernel does not preempt. */
struct context kernel_context;

static enum status table_alloc(void *ctx, paddr_t *ret_pa)
{
	(void)ctx;
	return frame_alloc_4k(frame_cache_here(), ret_pa);
}

static void table_free(void *ctx, paddr_t pa)
{
	(void)ctx;
	machine_frames_free_table(pa);
}

static const struct space_ops table_ops = { table_alloc, table_free };

static void *page_alloc(void *ctx)
{
	paddr_t pa;

	(void)ctx;
	return frame_alloc_4k(frame_cache_here(), &pa) == OK ? hhdm_ptr(pa) : NULL;
}

static void page_free(void *ctx, void *page)
{
	(void)ctx;
	frame_free_4k(frame_cache_here(), hhdm_paddr(page));
}

const struct window_seam direct_map_pages = { .page_alloc = page_alloc, .page_free = page_free };

enum status kernel_space_create(struct space *ret)
{
	enum status status = space_init(ret, &table_ops, NULL, HHDM_BASE, kernel_space.max_leaf);

	if (status == OK)
		space_share(ret, &kernel_space, SHARED_SLOT);
	return status;
}

/* Unmap the lower half: only the loader needed what is mapped there. */
static void drop_lower_half(void)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	if (space_unmap(&kernel_space, USER_BASE, USER_SIZE / PAGE_SIZE, &flush) != OK)
		panic("takeover: the lower half cannot be unmapped");
	context_flush(&kernel_context, &flush);
}

/*
 * Make the image's leaves global: the image is the same in every context, so they may stay in the TLB across CR3
 * writes.
 */
static void make_image_global(const struct boot_info *info)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	for (size_t i = 0; i < info->segment_count; i++) {
		const struct boot_segment *g = &info->segments[i];

		if (space_protect(&kernel_space, g->va, g->pages, (enum page_prot)g->prot | PROT_GLOBAL, &flush) != OK)
			panic("takeover: image segment at %#llx cannot be made global", (unsigned long long)g->va);
	}
	context_flush(&kernel_context, &flush);
	if (cpu_features()->pge)
		cpu_write_cr4(cpu_read_cr4() | CR4_PGE);
}

void kernel_space_init(const struct boot_info *info)
{
	size_t frames;

	context_prepare();
	space_adopt(&kernel_space, paddr(cpu_read_cr3() & PTE_ADDRESS), &table_ops, NULL, HHDM_BASE,
		    cpu_features()->pages_1g ? 3 : 2);
	frames = kernel_space.tables + 1;
	if (kernel_space.root.raw != info->tables.raw || frames != info->table_frames)
		panic("takeover: CR3 %#llx with %zu tables, the handoff says %#llx with %llu",
		      (unsigned long long)kernel_space.root.raw, frames, (unsigned long long)info->tables.raw,
		      (unsigned long long)info->table_frames);
	drop_lower_half();
	if (space_pin(&kernel_space, SHARED_SLOT) != OK)
		panic("takeover: slot %d cannot be pinned", SHARED_SLOT);
	make_image_global(info);
}
