/*
 * Unmaps a memory object's pages in the areas that map it.
 */
#include "kernel/mm/user/memory_object.h"

#include "kernel/mm/user/user_internal.h"

void memory_object_cut(struct memory_object *object, uint64_t first)
{
	context_token_t token;

	if (!object->areas)
		return;
	token = kernel_context_enter();
	for (struct area *a = object->areas; a; a = a->next_of_object) {
		uint64_t kept = first > a->offset ? first - a->offset : 0;
		vaddr_t start;

		if (!(a->flags & AREA_TOUCHED) || kept >= bytes_to_pages(a->end - a->start))
			continue;
		/*
		 * The area stays, and so do its tables: with `start` for both floor and ceiling no table is freed.
		 * Objects are mapped with 4 KiB leaves only, so no leaf need be split.
		 */
		start = a->start + kept * PAGE_SIZE;
		user_pages_drop(a->space, start, a->end, start, start);
	}
	kernel_context_leave(token);
}
