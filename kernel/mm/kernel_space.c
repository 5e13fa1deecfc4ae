/*
 * Takes over the tables that the loader built, and owns the kernel context's space from then on.
 * Frames for tables come from the spare ones that the loader left behind its own.
 */
#include "kernel/mm/kernel_space.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/features.h"
#include "kernel/mm/hhdm.h"

/* Frames that the loader left over: tables come from the front, pages of the kernel's own from the back. */
struct spare {
	paddr_t start;
	paddr_t end;
};

struct space kernel_space;

static struct spare spare;
static paddr_t freed_tables; /* given back, chained through their first word; 0 ends the chain */
static struct memmap memmap;
const struct memmap *machine_memmap = &memmap;

static void table_free(void *ctx, paddr_t pa)
{
	(void)ctx;
	*(paddr_t *)hhdm_ptr(pa) = freed_tables;
	freed_tables = pa;
}

static enum status table_alloc(void *ctx, paddr_t *ret_pa)
{
	(void)ctx;
	if (freed_tables.raw) {
		*ret_pa = freed_tables;
		freed_tables = *(paddr_t *)hhdm_ptr(freed_tables);
		return OK;
	}
	if (spare.start.raw == spare.end.raw)
		return ERR_NO_MEMORY;
	*ret_pa = spare.start;
	spare.start = paddr_add(spare.start, PAGE_SIZE);
	return OK;
}

void *kernel_spare_pages(size_t pages)
{
	if (pages > (spare.end.raw - spare.start.raw) / PAGE_SIZE)
		return NULL;
	spare.end = paddr(spare.end.raw - pages * PAGE_SIZE);
	return hhdm_ptr(spare.end);
}

static const struct space_ops table_ops = { table_alloc, table_free };

enum status kernel_space_create(struct space *ret)
{
	enum status status = space_init(ret, &table_ops, NULL, HHDM_BASE, kernel_space.max_leaf);

	if (status == OK)
		space_share(ret, &kernel_space, SHARED_SLOT);
	return status;
}

void kernel_space_flush(struct space *s, struct tlb_flush *flush)
{
	/*
	 * A CR3 write spares global entries, so leaves of slot 511 go one by one, or all by toggling
	 * CR4.PGE (Intel SDM vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches").
	 */
	if (flush->global) {
		uint64_t cr4 = cpu_read_cr4();

		cpu_write_cr4(cr4 & ~CR4_PGE);
		cpu_write_cr4(cr4);
	} else if (flush->leaves || flush->tables.raw) {
		cpu_write_cr3(cpu_read_cr3());
	}
	space_release(s, flush);
}

/* Drop what only the loader needed: whatever is mapped in the lower half. */
static void drop_lower_half(void)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	if (space_unmap(&kernel_space, USER_BASE, USER_SIZE / PAGE_SIZE, &flush) != OK)
		panic("takeover: the lower half cannot be unmapped");
	kernel_space_flush(&kernel_space, &flush);
}

/* The image is the same in every context: its leaves may stay in the TLB across CR3 writes. */
static void make_image_global(const struct boot_info *info)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;

	for (size_t i = 0; i < info->segment_count; i++) {
		const struct boot_segment *g = &info->segments[i];

		if (space_protect(&kernel_space, g->va, g->pages, (enum page_prot)g->prot | PROT_GLOBAL, &flush) != OK)
			panic("takeover: image segment at %#llx cannot be made global", (unsigned long long)g->va);
	}
	kernel_space_flush(&kernel_space, &flush);
	cpu_write_cr4(cpu_read_cr4() | CR4_PGE);
}

void kernel_space_init(const struct boot_info *info)
{
	size_t frames;

	memmap = (struct memmap){ .ranges = hhdm_ptr(info->memmap),
				  .count = info->memmap_count,
				  .capacity = info->memmap_count };
	spare = (struct spare){ paddr_add(info->tables, info->table_frames * PAGE_SIZE),
				paddr_add(info->tables, (info->table_frames + info->table_spare) * PAGE_SIZE) };

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
