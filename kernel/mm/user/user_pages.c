/*
 * Drops, protects, copies and moves page-table entries of user spaces. Frames that were unmapped wait for the TLB flush
 * in a short list, since they may be freed only after it; when the list is full, the flush is run early.
 */
#include "kernel/mm/user/user_pages.h"

#include "kernel/arch/cpu_user.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/user/user_frame.h"
#include "kernel/sync/open_section.h"

#define GATHER_FRAMES 128

/* What has been unmapped, and the frames whose references are to be dropped after the flush. */
struct gather {
	struct user_space *space;
	struct tlb_flush flush;
	bool flushes; /* false: no CPU can use the entries any more, so no flush is needed */
	size_t count;
	paddr_t frames[GATHER_FRAMES];
};

/*
 * Flush what was gathered and only then give the frames back: until the flush the CPU may use the old mapping.
 * munmap -> flush -> invalidation, step 5 of 6. Next: context_flush (kernel/mm/space/context.c), which
 * calls tlb_flush_run.
 */
static void gather_run(struct gather *g)
{
	if (g->flushes)
		context_flush(&g->space->context, &g->flush);
	for (size_t i = 0; i < g->count; i++)
		user_frame_put(g->frames[i]);
	g->count = 0;
}

/* ---- drop ---- */

/*
 * Unmap the leaves of a run (neighbouring entries of one page table). If there is any, the whole run is added to the
 * flush: finding exact bounds costs more than it saves.
 */
static void drop_run(struct gather *g, const struct space_run *run)
{
	pte_t *const end = run->at + run->count;
	size_t leaves = 0;

	for (pte_t *at = run->at; at < end; at++) {
		pte_t e = pte_read(at);

		if (!e.raw)
			continue;
		if (unlikely(g->count == GATHER_FRAMES)) {
			user_flush_add(&g->flush, run->va, run->count * level_size(run->level));
			gather_run(g);
		}
		g->frames[g->count++] = pte_paddr(user_leaf(e), run->level);
		pte_write(at, (pte_t){ 0 });
		leaves++;
	}
	if (leaves)
		user_flush_add(&g->flush, run->va, run->count * level_size(run->level));
	g->space->resident_pages -= leaves * (level_size(run->level) / PAGE_SIZE);
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

/* munmap -> flush -> invalidation, step 4 of 6: entries go, frames are gathered. Next: gather_run, above. */
void user_pages_drop(struct user_space *space, vaddr_t start, vaddr_t end, vaddr_t floor, vaddr_t ceiling)
{
	struct gather g;

	/* Set the fields one by one: an initialiser would also clear the list of frames, a kilobyte. */
	g.space = space;
	g.flush = TLB_FLUSH_NONE;
	g.flushes = true;
	g.count = 0;
	if (space->resident_pages > space->resident_most)
		space->resident_most = space->resident_pages;
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

#define PARTS 512 /* pages of a 2 MiB frame; each entry that maps one holds a reference to the frame */

static void put_parts(paddr_t pa, unsigned count)
{
	while (count--)
		user_frame_put(pa);
}

/*
 * Take the references that a split needs: one for each of the PARTS new entries, less the one that the large leaf has
 * already. After ERR_NO_MEMORY none is taken.
 */
static enum status get_parts(paddr_t pa)
{
	for (unsigned taken = 1; taken < PARTS; taken++)
		if (user_frame_get(pa) != OK) {
			put_parts(pa, taken - 1);
			return ERR_NO_MEMORY;
		}
	return OK;
}

/* Park (make not present, pte_park) the entries of the table that maps [va, va + 2 MiB). */
static void park_table(struct space *tables, vaddr_t va)
{
	struct space_run run;

	if (space_run(tables, va, va + PAGE_SIZE_2M - 1, &run))
		for (size_t i = 0; i < run.count; i++)
			pte_write(&run.at[i], pte_park(pte_read(&run.at[i])));
}

enum status user_pages_cut(struct user_space *space, vaddr_t at)
{
	struct space *tables = &space->context.space;
	struct tlb_flush flush = TLB_FLUSH_NONE;
	struct space_run run;
	enum status status;
	pte_t leaf, whole;

	if (is_aligned(at, PAGE_SIZE_2M) || !space_run(tables, at, at, &run) || run.level == 1)
		return OK;
	/* In an open section there is no time for so many references. */
	if (open_section_is_here())
		return ERR_NO_MEMORY;
	leaf = pte_read(run.at);
	whole = user_leaf(leaf);
	status = get_parts(pte_paddr(whole, 2));
	if (status != OK)
		return status;
	/* A parked leaf is made present, split like any other, and its parts are parked again. */
	if (pte_is_parked(leaf))
		pte_write(run.at, whole);
	status = space_split(tables, at, 1, &flush);
	if (status != OK) {
		if (pte_is_parked(leaf))
			pte_write(run.at, leaf);
		put_parts(pte_paddr(whole, 2), PARTS - 1);
		return status;
	}
	if (pte_is_parked(leaf))
		park_table(tables, run.va);
	context_flush(&space->context, &flush);
	return OK;
}

/* ---- protect ---- */

/* Return what the leaf `e` of `level` becomes when its area gets `rights`. */
static pte_t protected_leaf(pte_t e, int level, unsigned rights, bool shared)
{
	pte_t leaf = user_leaf(e);
	paddr_t pa = pte_paddr(leaf, level);
	/* A shared page that was only read may need another frame before it is written to. */
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

/*
 * Copy the run's leaves, from entry `first` on, into the entries of `to` from `to_at` on. After ERR_NO_MEMORY only a
 * part is copied.
 */
static enum status copy_entries(struct user_space *to, struct space_run *run, size_t first, pte_t *to_at)
{
	const uint64_t lost = PTE_WRITABLE | PTE_DIRTY;
	enum status status = OK;
	size_t leaves = 0;

	for (size_t i = first; i < run->count; i++) {
		pte_t e = pte_read(&run->at[i]), leaf;

		if (!e.raw)
			continue;
		leaf = user_leaf(e);
		status = user_frame_share(pte_paddr(leaf, run->level), run->level);
		if (unlikely(status != OK))
			break;
		leaf.raw &= ~lost;
		if (likely(pte_present(e))) {
			if (leaf.raw != e.raw)
				pte_write(&run->at[i], leaf);
			pte_write(&to_at[i - first], leaf);
		} else {
			pte_write(&run->at[i], pte_park(leaf));
			pte_write(&to_at[i - first], pte_park(leaf));
		}
		leaves++;
	}
	to->resident_pages += leaves * (level_size(run->level) / PAGE_SIZE);
	return status;
}

/* Return the index of the first entry that is not absent; the run's count when there is none. */
static size_t first_leaf(const struct space_run *run)
{
	size_t i = 0;

	while (i < run->count && !pte_read(&run->at[i]).raw)
		i++;
	return i;
}

enum status user_pages_copy(struct user_space *from, struct user_space *to, vaddr_t start, vaddr_t end,
			    struct tlb_flush *flush)
{
	struct space_run run;

	for (vaddr_t va = start; va < end && space_run(&from->context.space, va, end - 1, &run);
	     va = space_run_end(&run)) {
		size_t first = first_leaf(&run);
		enum status status;
		pte_t *place;

		/* No table is made for entries that are all absent. */
		if (first == run.count)
			continue;
		status = space_place(&to->context.space, run.va + first * PAGE_SIZE, run.level, &place);
		if (status == OK)
			status = copy_entries(to, &run, first, place);
		/*
		 * Add all of the run to the flush, also after an error: finding exact bounds costs more than it saves.
		 */
		user_flush_add(flush, run.va, run.count * level_size(run.level));
		if (status != OK)
			return ERR_NO_MEMORY;
	}
	return OK;
}

/* ---- move ---- */

/* Split the large leaves of [start, start + size), whose new place is not aligned to 2 MiB. */
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

enum status user_pages_place(struct user_space *space, vaddr_t from, vaddr_t to, uint64_t size)
{
	struct space *tables = &space->context.space;
	enum status status = OK;
	struct space_run run;
	pte_t *place;

	if (!is_aligned(from - to, PAGE_SIZE_2M))
		status = split_all(space, from, size);
	for (vaddr_t va = from; status == OK && va < from + size && space_run(tables, va, from + size - 1, &run);
	     va = space_run_end(&run)) {
		vaddr_t last = to + (space_run_end(&run) - 1 - from);

		status = space_place(tables, to + (run.va - from), run.level, &place);
		/* At the new place the PTEs of one run may lie in two tables. */
		if (status == OK && run.level == 1)
			status = space_place(tables, align_down(last, PAGE_SIZE), 1, &place);
	}
	return status == OK ? OK : ERR_NO_MEMORY;
}

/*
 * Move a run's leaves to the entries for the addresses from `to` on, which lie in one table or two. A leaf may have
 * come after the tables were made, since tasks can touch memory while it is being moved: such a leaf may have no entry
 * at the new place, and stays.
 */
static void move_run(struct space *tables, const struct space_run *run, vaddr_t to)
{
	const uint64_t size = level_size(run->level);
	pte_t *place = NULL;

	for (size_t i = 0; i < run->count && is_aligned(to, size); i++, to += size) {
		pte_t e = pte_read(&run->at[i]);

		if (!e.raw) {
			place = NULL;
			continue;
		}
		if (place && !is_aligned(to, PAGE_SIZE_2M))
			place++;
		else if (space_place(tables, to, run->level, &place) != OK)
			return;
		ASSERT(!pte_read(place).raw);
		pte_write(place, e);
		pte_write(&run->at[i], (pte_t){ 0 });
	}
}

void user_pages_move(struct user_space *space, vaddr_t from, vaddr_t to, uint64_t size, struct tlb_flush *flush)
{
	struct space *tables = &space->context.space;
	struct space_run run;

	for (vaddr_t va = from; va < from + size && space_run(tables, va, from + size - 1, &run);
	     va = space_run_end(&run)) {
		move_run(tables, &run, to + (run.va - from));
		user_flush_add(flush, run.va, run.count * level_size(run.level));
	}
}
