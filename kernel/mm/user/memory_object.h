/*
 * A memory object is what an area's pages come from when they are not private and anonymous: a file, or shared
 * anonymous memory. An implementation puts a struct memory_object first in its own structure, sets `ops`, and leaves
 * the rest zero.
 *
 * Two kinds of frames can back an object, and both may appear in one object:
 *   - frames of the frame allocator (4 KiB): `frame` takes a reference with frame_get, which the mapping keeps. Whoever
 *     drops the last reference, object or mapping, frees the frame.
 *   - frames that the allocator does not manage, such as those of the initramfs, whose files are mapped where the
 *     loader put them: they are never freed and have no count. `frame` just returns the address, and user_frame_put
 *     (user_pages.h) does nothing for them. Their memory must never be added to the allocator (frame_add_range) while a
 *     mapping of it may exist.
 * The reference count tells of which kind a frame is: frame_refs() is 0 for one that is not managed. user_frame_get and
 * user_frame_put (user_pages.h) do what is right for each kind, parts of 2 MiB frames included.
 */
#pragma once

#include "paging/types.h"

struct memory_object;

#define OBJECT_TAKEN_MOST 32

/* Pages that an object had until `take` took them out, with the references to their frames. Guard: the caller. */
struct object_taken {
	size_t count;
	struct {
		uint64_t page;
		paddr_t pa;
	} pages[OBJECT_TAKEN_MOST];
};

/* Note one more page in `taken`, which must have room. */
static inline void object_taken_add(struct object_taken *taken, uint64_t page, paddr_t pa)
{
	taken->pages[taken->count].page = page;
	taken->pages[taken->count++].pa = pa;
}

struct memory_object_ops {
	/*
	 * Get the frame with the object's page `page` (counted from 0, 4 KiB each), with a reference for the caller.
	 * The caller maps it read-only, or copies it; the part of a last page beyond the end of a file must be 0.
	 * Called in the kernel context; must not block. Returns ERR_RANGE (wholly past the end: SIGBUS), ERR_NO_MEMORY;
	 * *ret is untouched then.
	 */
	enum status (*frame)(struct memory_object *object, uint64_t page, paddr_t *ret);
	/*
	 * Get the frame, as `frame` does, of a page that is to be written through a shared mapping: from now on the
	 * object and all shared mappings have this frame. NULL: the object cannot be mapped shared and writable
	 * (user_map and user_protect return ERR_RIGHTS).
	 */
	enum status (*write_frame)(struct memory_object *object, uint64_t page, paddr_t *ret);
	/*
	 * Whether `write_frame` always gives the frame that `frame` gives. If so, a shared page that may be written to
	 * is mapped writable at the first touch of any kind, and a later write to it calls no function here.
	 */
	bool same_frame;
	/*
	 * Take a reference to the object, or drop one; dropping the last one destroys the object. May be called in any
	 * context.
	 */
	void (*get)(struct memory_object *object);
	void (*put)(struct memory_object *object);
	/*
	 * Add `change` to the number of areas with AREA_WRITER that map the object. May be NULL if no area has that
	 * flag. May be called in any context.
	 */
	void (*count_writer)(struct memory_object *object, int change);
	/*
	 * Make the object's pages from *first on zeros: take their frames out of it, with the references to them, or
	 * zero what no frame holds. `ret`, empty before, gets the frames; *first advances over at least one page, up
	 * to `end` at most. Takes less than a third of a millisecond. Called in the kernel context; must not block.
	 * NULL: the object keeps its pages.
	 */
	void (*take)(struct memory_object *object, uint64_t *first, uint64_t end, struct object_taken *ret);
	/*
	 * Return whether the page is in memory already, for mincore(2), and for a fault that maps pages around its own.
	 * Called in the kernel context. May be NULL: no page is in memory then.
	 */
	bool (*has)(struct memory_object *object, uint64_t page);
	/*
	 * Return whether a `put` now would drop the last reference and leave more than one step of work to be done
	 * later (kernel/sync/late_work.h). May be NULL: no `put` leaves such work then.
	 */
	bool (*is_long)(const struct memory_object *object);
};

/* The part of a memory object that all implementations have. Guard: tasks only, which the kernel does not preempt. */
struct memory_object {
	const struct memory_object_ops *ops; /* fixed when the object is made */
	struct area *areas; /* all areas that map the object, in all spaces, linked by next_of_object */
};

/*
 * Unmap the object's pages from `first` on in all areas that map it, private copies too: the next touch asks the object
 * again. Call this when a file becomes shorter, before its pages are freed. Works in any context; cannot fail.
 */
void memory_object_cut(struct memory_object *object, uint64_t first);

/*
 * Do what memory_object_cut() does, but in pieces, so that other tasks can run in between. From before
 * object_cut_begin() until after object_cut_end() the object must give out no page from `first` on. In between, areas
 * may be added to the object's list, removed from it, and split.
 */
struct object_cut {
	struct memory_object *object;
	uint64_t first;
	const struct object_taken *only; /* unmap these pages only, where an area has these frames; or NULL */
	struct area *next;               /* the area to go on with; NULL: the end of the list is reached */
	bool again;                      /* areas were added meanwhile: go through the list once more */
	struct object_cut *other;        /* the next cut in the list object_cuts */
};

void object_cut_begin(struct object_cut *cut, struct memory_object *object, uint64_t first);

/* Unmap a piece. Returns whether more is left. */
bool object_cut_piece(struct object_cut *cut);
void object_cut_end(struct object_cut *cut);

/*
 * A hole that is being made in an object: its pages [next, end) become zeros, and areas unmap the frames that it had.
 * Private copies stay. Guard: the task that makes it; the object is held meanwhile.
 */
struct object_hole {
	struct memory_object *object;
	uint64_t next, end;
	struct object_taken taken; /* pages taken out of the object, but not yet unmapped in all areas */
	struct object_cut cut;     /* unmaps the taken pages in the areas; under way while taken.count is not 0 */
};

/*
 * Do a piece of the work: takes less than a third of a millisecond. Returns whether more is left. The caller may stop
 * early only when hole->taken.count is 0. object->ops->take must not be NULL.
 */
bool object_hole_piece(struct object_hole *hole);

/*
 * The list of the cuts that are under way. Whoever adds an area to an object's list, or removes it, calls one of the
 * two functions below. Guard: tasks only, which the kernel does not preempt.
 */
extern struct object_cut *object_cuts;

/*
 * Tell the cuts of the area's object that the area has joined the object's list (comes), or is about to leave it
 * (goes).
 */
void object_cut_area_comes(const struct area *area);
void object_cut_area_goes(const struct area *area);

/*
 * Create shared anonymous memory: `pages` pages of zeros, each of which gets a frame at its first touch. The caller
 * gets the only reference. Returns ERR_NO_MEMORY; *ret is untouched then.
 */
MUST_CHECK enum status shared_memory_create(uint64_t pages, struct memory_object **ret);
