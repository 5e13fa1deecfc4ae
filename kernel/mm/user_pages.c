/*
 * Entries and frames of user spaces: drop, protect, copy, move. Frames that fall free wait for the flush in a short list;
 * when it is full the flush is run early.
 */
#include "kernel/mm/user_pages.h"

#include "kernel/arch/cpu_user.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frame_refs.h"

#define GATHER_FRAMES 128

/* What has been unmapped and may not be given back before the flush. */
struct gather {
	struct user_space *space;
	struct tlb_flush flush;
	bool flushes; /* else nobody can use the entries any more */
	size_t count;
	paddr_t frames[GATHER_FRAMES];
};

/* ---- frames ---- */

/* The count of a 4 KiB frame that is handed out; NULL when `pa` is not in one. */
static inline uint16_t *small_refs(paddr_t pa)
{
	uint16_t *refs;

	if (likely(refs_4k(&frame_cache_here()->lookup, pa, &refs) && *refs != 0 && *refs != REFS_ABSENT))
		return refs;
	return NULL;
}

/* The count of the 2 MiB frame around `pa`; NULL when it is not in one that is handed out. */
static uint16_t *large_refs(paddr_t pa)
{
	const struct frames *frames = frame_cache_here()->frames;
	paddr_t start = paddr(align_down(pa.raw, PAGE_SIZE_2M));
	uint16_t *refs;

	if (pa.raw >> PAGE_SHIFT >= frames->lookup.limit)
		return NULL;
	refs = refs_large(frames, FRAME_2M, start);
	return refs && *refs != 0 ? refs : NULL;
}

enum status user_frame_get(paddr_t pa)
{
	uint16_t *refs = small_refs(pa);

	if (unlikely(!refs))
		refs = large_refs(pa);
	if (!refs)
		return OK;
	if (unlikely(*refs == FRAME_REFS_MAX))
		return ERR_RANGE;
	/* One CPU; with more, as frame_get. */
	__atomic_store_n(refs, *refs + 1, __ATOMIC_RELAXED);
	return OK;
}

void user_frame_put(paddr_t pa)
{
	uint16_t *refs = small_refs(pa);
	bool small = refs;

	if (unlikely(!small))
		refs = large_refs(pa);
	if (!refs)
		return;
	if (*refs > 1)
		__atomic_store_n(refs, *refs - 1, __ATOMIC_RELAXED);
	else if (small)
		frame_free_4k(frame_cache_here(), pa);
	else
		frame_free_large(frame_cache_here(), FRAME_2M, paddr(align_down(pa.raw, PAGE_SIZE_2M)));
}

bool user_frame_is_sole(paddr_t pa)
{
	const uint16_t *refs = small_refs(pa);

	if (unlikely(!refs))
		refs = large_refs(pa);
	return refs && *refs == 1;
}

/* Flush what was gathered and give the frames back. */
static void gather_run(struct gather *g)
{
	if (g->flushes)
		context_flush(&g->space->context, &g->flush);
	for (size_t i = 0; i < g->count; i++)
		user_frame_put(g->frames[i]);
	g->count = 0;
}

/* ---- drop ---- */

/* Unmap a run's leaves. */
static void drop_run(struct gather *g, const struct space_run *run)
{
	const uint64_t size = level_size(run->level), pages = size / PAGE_SIZE;

	for (size_t i = 0; i < run->count; i++) {
		pte_t e = pte_read(&run->at[i]);

		if (!e.raw)
			continue;
		if (g->count == GATHER_FRAMES)
			gather_run(g);
		g->frames[g->count++] = pte_paddr(user_leaf(e), run->level);
		pte_write(&run->at[i], (pte_t){ 0 });
		user_flush_add(&g->flush, run->va + i * size, size);
		g->space->resident_pages -= pages;
	}
}

static void drop(struct gather *g, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
	struct space *space = &g->space->context.space;
	struct space_run run;

	for (vaddr_t va = start; va < end && space_run(space, va, end - 1, &run); va = space_run_end(&run))
		drop_run(g, &run);
	space_prune(space, start, end - 1, floor, ceiling, &g->flush);
	gather_run(g);
}

void user_pages_drop(struct user_space *space, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
	struct gather g;

	/* Not the list of frames: that would be a kilobyte to clear. */
	g.space = space;
	g.flush = TLB_FLUSH_NONE;
	g.flushes = true;
	g.count = 0;
	drop(&g, start, end, floor, ceiling);
}

void user_pages_end(struct user_space *space, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
	struct gather g;

	g.space = space;
	g.flush = TLB_FLUSH_NONE;
	g.flushes = false;
	g.count = 0;
	drop(&g, start, end, floor, ceiling);
	space_release(&space->context.space, &g.flush);
}

/* ---- cut ---- */

enum status user_pages_cut(struct user_space *space, vaddr_t at)
{
	struct space *tables = &space->context.space;
	struct tlb_flush flush = TLB_FLUSH_NONE;
	struct space_run run;
	enum status status;
	paddr_t pa;
	bool parked;

	if (is_aligned(at, PAGE_SIZE_2M) || !space_run(tables, at, at, &run) || run.level == 1)
		return OK;
	/* Each of the 512 leaves will hold a reference; one is there. */
	parked = pte_is_parked(pte_read(run.at));
	pa = pte_paddr(user_leaf(pte_read(run.at)), 2);
	for (unsigned taken = 1; taken < 512; taken++) {
		if (user_frame_get(pa) == OK)
			continue;
		while (--taken)
			user_frame_put(pa);
		return ERR_NO_MEMORY;
	}
	if (parked)
		pte_write(run.at, pte_unpark(pte_read(run.at)));
	status = space_split(tables, at, 1, &flush);
	if (status != OK) {
		for (unsigned i = 1; i < 512; i++)
			user_frame_put(pa);
		if (parked)
			pte_write(run.at, pte_park(pte_read(run.at)));
		return status;
	}
	if (parked && space_run(tables, run.va, run.va + PAGE_SIZE_2M - 1, &run))
		for (size_t i = 0; i < run.count; i++)
			pte_write(&run.at[i], pte_park(pte_read(&run.at[i])));
	context_flush(&space->context, &flush);
	return OK;
}

/* ---- protect ---- */

/* What becomes of the leaf `e` of `level` when its area gets `rights`. */
static pte_t protected_leaf(pte_t e, int level, unsigned rights, bool shared)
{
	pte_t leaf = user_leaf(e);
	paddr_t pa = pte_paddr(leaf, level);
	/* A shared page that was only read may have to become another frame before it is written to. */
	bool writable = rights & USER_WRITE && (leaf.raw & PTE_WRITABLE || (!shared && user_frame_is_sole(pa)));

	leaf = pte_leaf(pa, user_prot(rights, writable), level);
	return rights == USER_NONE ? pte_park(leaf) : leaf;
}

void user_pages_protect(struct user_space *space, vaddr_t start, vaddr_t end, unsigned rights, bool shared,
			struct tlb_flush *flush)
{
	struct space_run run;

	for (vaddr_t va = start; va < end && space_run(&space->context.space, va, end - 1, &run);
	     va = space_run_end(&run)) {
		const uint64_t size = level_size(run.level);

		for (size_t i = 0; i < run.count; i++) {
			pte_t e = pte_read(&run.at[i]), now;

			if (!e.raw)
				continue;
			now = protected_leaf(e, run.level, rights, shared);
			if (now.raw == e.raw)
				continue;
			pte_write(&run.at[i], now);
			if (pte_present(e))
				user_flush_add(flush, run.va + i * size, size);
		}
	}
}

/* ---- copy ---- */

/* The frame `pa` has too many references: another with the same content. A 4 KiB page. */
static enum status copy_frame(const struct user_space *space, paddr_t *pa)
{
	paddr_t made;
	enum status status = frame_alloc_4k(frame_cache_here(), &made);

	if (status != OK)
		return status;
	cpu_copy_page(user_frame_ptr(space, made), user_frame_ptr(space, *pa));
	*pa = made;
	return OK;
}

/* A run's leaves into the child's entries, `to` being the place for the first. */
static enum status copy_run(struct user_space *from, struct user_space *to, const struct space_run *run, pte_t *place,
			    bool shared, struct tlb_flush *flush)
{
	const uint64_t size = level_size(run->level), pages = size / PAGE_SIZE;

	for (size_t i = 0; i < run->count; i++) {
		pte_t e = pte_read(&run->at[i]), leaf;
		paddr_t pa;

		if (!e.raw)
			continue;
		leaf = user_leaf(e);
		pa = pte_paddr(leaf, run->level);
		if (user_frame_get(pa) != OK) {
			enum status status = run->level == 1 && !shared ? copy_frame(from, &pa) : ERR_NO_MEMORY;

			if (status != OK)
				return status;
			leaf.raw = pa.raw | (leaf.raw & ~PTE_ADDRESS);
		}
		if (!shared && leaf.raw & PTE_WRITABLE) {
			pte_t less = { leaf.raw & ~(PTE_WRITABLE | PTE_DIRTY) };

			if (pte_present(e)) {
				pte_write(&run->at[i], (pte_t){ e.raw & ~(PTE_WRITABLE | PTE_DIRTY) });
				user_flush_add(flush, run->va + i * size, size);
			} else {
				pte_write(&run->at[i],
					  pte_park((pte_t){ user_leaf(e).raw & ~(PTE_WRITABLE | PTE_DIRTY) }));
			}
			leaf = less;
		}
		pte_write(&place[i], pte_present(e) ? leaf : pte_park(leaf));
		to->resident_pages += pages;
	}
	return OK;
}

/* Whether a run has any leaf: for one that has none no table is made. */
static bool run_is_empty(const struct space_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (pte_read(&run->at[i]).raw)
			return false;
	return true;
}

enum status user_pages_copy(struct user_space *from, struct user_space *to, vaddr_t start, vaddr_t end, bool shared,
			    struct tlb_flush *flush)
{
	struct space_run run;

	for (vaddr_t va = start; va < end && space_run(&from->context.space, va, end - 1, &run);
	     va = space_run_end(&run)) {
		enum status status;
		pte_t *place;

		if (run_is_empty(&run))
			continue;
		status = space_place(&to->context.space, run.va, run.level, &place);
		if (status == OK)
			status = copy_run(from, to, &run, place, shared, flush);
		if (status != OK)
			return status == ERR_NO_MEMORY ? status : ERR_NO_MEMORY;
	}
	return OK;
}

/* ---- move ---- */

/* Split the large leaves of [start, start + size) that cannot move as they are. */
static enum status split_all(struct user_space *space, vaddr_t start, uint64_t size)
{
	struct space_run run;

	for (vaddr_t va = start; va < start + size; va = space_run_end(&run)) {
		enum status status;

		if (!space_run(&space->context.space, va, start + size - 1, &run))
			break;
		if (run.level == 1)
			continue;
		status = user_pages_cut(space, run.va + PAGE_SIZE);
		if (status != OK)
			return status;
	}
	return OK;
}

enum status user_pages_move(struct user_space *space, vaddr_t from, vaddr_t to, uint64_t size, struct tlb_flush *flush)
{
	struct space *tables = &space->context.space;
	enum status status = OK;
	struct space_run run;
	pte_t *place;

	if (!is_aligned(from - to, PAGE_SIZE_2M))
		status = split_all(space, from, size);
	/* First make all places; then nothing can fail. */
	for (vaddr_t va = from; status == OK && va < from + size && space_run(tables, va, from + size - 1, &run);
	     va = space_run_end(&run)) {
		vaddr_t last = to + (space_run_end(&run) - 1 - from);

		status = space_place(tables, to + (run.va - from), run.level, &place);
		/* A row of PTEs may come to lie in two tables. */
		if (status == OK && run.level == 1)
			status = space_place(tables, align_down(last, PAGE_SIZE), 1, &place);
	}
	if (status != OK)
		return ERR_NO_MEMORY;
	for (vaddr_t va = from; va < from + size && space_run(tables, va, from + size - 1, &run);
	     va = space_run_end(&run)) {
		for (size_t i = 0; i < run.count; i++) {
			const vaddr_t at = run.va + i * level_size(run.level);
			pte_t e = pte_read(&run.at[i]);

			if (!e.raw)
				continue;
			status = space_place(tables, to + (at - from), run.level, &place);
			ASSERT(status == OK && !pte_read(place).raw);
			pte_write(place, e);
			pte_write(&run.at[i], (pte_t){ 0 });
			user_flush_add(flush, at, level_size(run.level));
		}
	}
	return OK;
}
