/*
 * Fetches pages before anybody touches them, for mlock(2) and MAP_POPULATE. When memory runs out on the way, the pages
 * of private areas that were fetched are given back.
 */
#include "kernel/mm/user/user_fault.h"
#include "kernel/mm/user/user_internal.h"
#include "kernel/mm/user/user_piece.h"

#define PIECE_PAGES 128 /* a piece ends once it has fetched this many 4 KiB pages, or a 2 MiB page */

static void taken_add(struct user_taken *taken, vaddr_t start, vaddr_t end)
{
	if (taken->count && taken->runs[taken->count - 1].end == start) {
		taken->runs[taken->count - 1].end = end;
	} else if (taken->count < USER_TAKEN_RUNS) {
		taken->runs[taken->count].start = start;
		taken->runs[taken->count].end = end;
		taken->count++;
	}
}

/* Serve a fault on the page at `va`, and record what that has mapped: the page, or the large page around it. */
static enum status take_page(struct user_space *space, vaddr_t va, enum user_rights access, struct user_taken *taken)
{
	const uint64_t before = space->resident_pages;
	const struct area *area;
	enum status status = user_fault_inside(space, va, access, &area);

	if (status != OK || space->resident_pages == before || area->flags & AREA_SHARED)
		return status;
	if (space->resident_pages == before + PAGE_SIZE_2M / PAGE_SIZE)
		taken_add(taken, align_down(va, PAGE_SIZE_2M), align_down(va, PAGE_SIZE_2M) + PAGE_SIZE_2M);
	else
		taken_add(taken, va, va + PAGE_SIZE);
	return OK;
}

enum status user_populate_piece(struct user_space *space, vaddr_t *va, vaddr_t end, enum user_rights access,
				struct user_taken *taken)
{
	const context_token_t token = kernel_context_enter();
	const uint64_t before = space->resident_pages;
	enum status status = OK;

	for (unsigned i = 0; i < PIECE_PAGES && *va < end && space->resident_pages < before + PIECE_PAGES; i++) {
		status = take_page(space, align_down(*va, PAGE_SIZE), access, taken);
		if (status != OK)
			break;
		*va = align_down(*va, PAGE_SIZE) + PAGE_SIZE;
	}
	kernel_context_leave(token);
	return status;
}

bool user_give_back(struct user_space *space, struct user_taken *taken)
{
	context_token_t token;
	vaddr_t start, end;

	if (!taken->count)
		return false;
	/* Take the last run of the array: if this piece leaves a part of it, that part is still the last run. */
	start = taken->runs[taken->count - 1].start;
	end = user_piece(space, start, taken->runs[taken->count - 1].end);
	token = kernel_context_enter();
	/*
	 * No large page crosses the end of a run, so none need be split. The areas stay: the last two arguments (floor
	 * and ceiling) are equal, so that no table is freed.
	 */
	user_pages_drop(space, start, end, start, start);
	kernel_context_leave(token);
	taken->runs[taken->count - 1].start = end;
	if (end == taken->runs[taken->count - 1].end)
		taken->count--;
	return taken->count;
}

enum status user_populate_all(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access)
{
	const context_token_t token = kernel_context_enter();
	struct user_taken taken = { 0 };
	enum status status = OK;
	const vaddr_t end = va + size;

	while (va < end && status == OK)
		status = user_populate_piece(space, &va, end, access, &taken);
	if (status == ERR_NO_MEMORY)
		while (user_give_back(space, &taken))
			;
	kernel_context_leave(token);
	return status;
}
