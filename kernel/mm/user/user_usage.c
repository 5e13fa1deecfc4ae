/*
 * Sums up how much memory the mapped pages of an area take; see user_usage.h.
 */
#include "kernel/mm/user/user_usage.h"

#include "kernel/mm/frame/frame.h"
#include "kernel/mm/user/user_pages.h"

#define RUN_STEPS 64 /* steps that finding a run of entries counts as */

/*
 * Return how many mappings the frame of a leaf has; 0: the frame has no reference count. held: one of the references is
 * the object's, and no mapping. Each 4 KiB leaf that maps a part of a 2 MiB frame has a reference to the whole frame.
 */
static uint64_t mappings_of(paddr_t pa, int level, bool held)
{
	const struct frames *frames = frame_cache_here()->frames;
	uint64_t refs = frame_refs(frames, FRAME_4K, pa), parts = 1, mappings;

	if (!refs) {
		refs = frame_refs(frames, FRAME_2M, paddr(align_down(pa.raw, PAGE_SIZE_2M)));
		parts = level == 1 ? PAGE_SIZE_2M / PAGE_SIZE : 1;
	}
	if (!refs)
		return 0;
	mappings = (refs - (held ? 1 : 0) + parts - 1) / parts;
	return mappings ? mappings : 1;
}

static void add_leaf(const struct area *area, pte_t e, int level, struct user_usage *usage)
{
	const uint64_t bytes = level_size(level);
	const pte_t leaf = user_leaf(e);
	const bool shared = area->flags & AREA_SHARED, written = leaf.raw & (PTE_DIRTY | PTE_WRITABLE);
	const bool anonymous = !area->object || (!shared && written), dirty = anonymous || written;
	const uint64_t mappings = mappings_of(pte_paddr(leaf, level), level, !anonymous);
	const uint64_t share = (bytes << USER_USAGE_SHIFT) / (mappings ? mappings : 1);

	usage->resident += bytes;
	usage->share += share;
	if (area->flags & AREA_LOCKED)
		usage->share_locked += share;
	if (dirty)
		usage->share_dirty += share;
	if (anonymous)
		usage->share_anonymous += share;
	else if (mappings)
		usage->share_memory += share;
	else
		usage->share_file += share;
	if (mappings > 1)
		*(dirty ? &usage->shared_dirty : &usage->shared_clean) += bytes;
	else
		*(dirty ? &usage->private_dirty : &usage->private_clean) += bytes;
	if (leaf.raw & PTE_ACCESSED)
		usage->referenced += bytes;
	if (anonymous)
		usage->anonymous += bytes;
	if (anonymous && level > 1)
		usage->huge += bytes;
}

void user_usage_add(struct user_space *space, const struct area *area, vaddr_t *va, size_t *budget,
		    struct user_usage *usage)
{
	context_token_t token = kernel_context_enter();
	struct space_run run;

	while (*va < area->end && *budget) {
		size_t count;

		if (!space_run(&space->context.space, *va, area->end - 1, &run)) {
			*va = area->end;
			break;
		}
		count = run.count < *budget ? run.count : *budget;
		for (size_t i = 0; i < count; i++) {
			const pte_t e = pte_read(&run.at[i]);

			if (e.raw)
				add_leaf(area, e, run.level, usage);
		}
		*budget -= count;
		*budget -= *budget < RUN_STEPS ? *budget : RUN_STEPS;
		*va = run.va + count * level_size(run.level);
	}
	kernel_context_leave(token);
}
