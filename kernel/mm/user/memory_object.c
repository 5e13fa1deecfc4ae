/*
 * Unmaps a memory object's pages in the areas that map it: all from some page on, or those of a hole. Does so at once
 * or in pieces between which other tasks can run.
 */
#include "kernel/mm/user/memory_object.h"

#include "kernel/mm/user/user_internal.h"
#include "kernel/mm/user/user_piece.h"
#include "kernel/sync/open_section.h"

#define AREAS_OF_PIECE 64   /* the most areas from which one piece unmaps pages */
#define STEPS_OF_PIECE 4096 /* the most areas that a piece looks at */

struct object_cut *object_cuts; /* guard: tasks only, which the kernel does not preempt */

void object_cut_begin(struct object_cut *cut, struct memory_object *object, uint64_t first)
{
	*cut = (struct object_cut){ .object = object, .first = first, .next = object->areas, .other = object_cuts };
	object_cuts = cut;
}

void object_cut_end(struct object_cut *cut)
{
	struct object_cut **link = &object_cuts;

	while (*link != cut)
		link = &(*link)->other;
	*link = cut->other;
}

void object_cut_area_comes(const struct area *area)
{
	for (struct object_cut *cut = object_cuts; cut; cut = cut->other)
		if (cut->object == area->object)
			cut->again = true;
}

void object_cut_area_goes(const struct area *area)
{
	for (struct object_cut *cut = object_cuts; cut; cut = cut->other)
		if (cut->next == area)
			cut->next = area->next_of_object;
}

/* Unmap a piece of an area's pages from `first` on. Returns whether more may be left. Call in the kernel context. */
static bool cut_area(struct area *area, uint64_t first)
{
	const uint64_t kept = first > area->offset ? first - area->offset : 0;
	vaddr_t start, end;

	if (!(area->flags & AREA_TOUCHED) || kept >= bytes_to_pages(area->end - area->start))
		return false;
	start = area->start + kept * PAGE_SIZE;
	end = user_piece(area->space, start, area->end);
	/*
	 * Objects are mapped with 4 KiB leaves only, so no leaf need be split. Empty tables are freed together with the
	 * pages, so that the next piece need not search them again.
	 */
	user_pages_drop(area->space, start, end, start, end);
	return end < area->end;
}

/* Unmap the taken pages of which the area maps the object's frame. Private copies, in other frames, stay. */
static void cut_taken(struct area *area, const struct object_taken *taken)
{
	const uint64_t pages = bytes_to_pages(area->end - area->start);

	for (size_t i = 0; i < taken->count; i++) {
		const uint64_t page = taken->pages[i].page - area->offset;
		const vaddr_t va = area->start + page * PAGE_SIZE;
		pte_t leaf;

		if (page >= pages)
			continue;
		leaf = user_leaf(pte_read(space_leaf_slot(&area->space->context.space, va).pte));
		/* The last two arguments (floor and ceiling) are equal, so that no table is freed. */
		if (leaf.raw && pte_paddr(leaf, 1).raw == taken->pages[i].pa.raw)
			user_pages_drop(area->space, va, va + PAGE_SIZE, va, va);
	}
}

bool object_cut_piece(struct object_cut *cut)
{
	const context_token_t token = kernel_context_enter();
	unsigned cuts = 0;

	/*
	 * The areas belong to spaces that no reference here protects, so their tasks must be kept out of open sections.
	 */
	open_sections_close();

	for (unsigned steps = 0; cut->next && steps < STEPS_OF_PIECE && cuts < AREAS_OF_PIECE; steps++) {
		struct area *area = cut->next;

		if (area->flags & AREA_TOUCHED)
			cuts += cut->only ? (unsigned)cut->only->count : 1;
		if (cut->only)
			cut_taken(area, cut->only);
		else if (cut_area(area, cut->first))
			break;
		cut->next = area->next_of_object;
	}
	open_sections_allow();
	kernel_context_leave(token);
	if (!cut->next && cut->again) {
		cut->again = false;
		cut->next = cut->object->areas;
	}
	return cut->next;
}

void memory_object_cut(struct memory_object *object, uint64_t first)
{
	struct object_cut cut;

	if (!object->areas)
		return;
	object_cut_begin(&cut, object, first);
	while (object_cut_piece(&cut))
		;
	object_cut_end(&cut);
}

bool object_hole_piece(struct object_hole *hole)
{
	const context_token_t token = kernel_context_enter();

	if (!hole->taken.count) {
		hole->object->ops->take(hole->object, &hole->next, hole->end, &hole->taken);
		if (hole->taken.count) {
			object_cut_begin(&hole->cut, hole->object, 0);
			hole->cut.only = &hole->taken;
		}
	} else if (!object_cut_piece(&hole->cut)) {
		object_cut_end(&hole->cut);
		while (hole->taken.count)
			user_frame_put(hole->taken.pages[--hole->taken.count].pa);
	}
	kernel_context_leave(token);
	return hole->taken.count || hole->next < hole->end;
}
