/*
 * Calls that change areas but do not remove them: other rights (mprotect), pages dropped (MADV_DONTNEED), and what a
 * fork copies (MADV_WIPEONFORK, MADV_DONTFORK).
 */
#include "kernel/mm/user/user_internal.h"
#include "kernel/mm/user/user_piece.h"

/* Return whether all of an area may have the rights. */
static bool rights_allowed(const struct area *a, unsigned rights)
{
	if (rights & USER_EXEC && a->flags & AREA_NO_EXEC)
		return false;
	return !(rights & USER_WRITE && a->flags & AREA_SHARED &&
		 (a->flags & AREA_READ_ONLY || (a->object && !a->object->ops->write_frame)));
}

/*
 * Find the part of [start, *end), from `start` on, that is wholly covered by areas which may have the rights, and set
 * *end to that part's end. Returns why the part is not longer: OK (it is the whole range), ERR_NOT_FOUND (a hole),
 * ERR_RIGHTS.
 */
static enum status find_allowed(const struct user_space *space, vaddr_t start, vaddr_t *end, unsigned rights)
{
	enum status status = OK;
	vaddr_t at = start;
	const struct area *a = area_find_from(&space->areas, start);

	while (at < *end && status == OK) {
		if (!a || a->start > at) {
			status = ERR_NOT_FOUND;
		} else if (!rights_allowed(a, rights)) {
			status = ERR_RIGHTS;
		} else {
			at = a->end;
			a = area_next(a);
		}
	}
	if (status != OK)
		*end = at;
	return status;
}

/* Return whether RLIMIT_DATA allows [start, end) to get the rights. */
static bool limit_allows(const struct user_space *space, vaddr_t start, vaddr_t end, unsigned rights)
{
	const uint64_t limit = user_limits_of_caller()->data_pages;
	uint64_t more = 0;

	if (!(rights & USER_WRITE) || limit >= bytes_to_pages(USER_END))
		return true;
	for (const struct area *a = area_find_from(&space->areas, start); a && a->start < end; a = area_next(a))
		if (user_counts_as_data(rights, a->flags) && !user_counts_as_data(a->rights, a->flags))
			more += user_overlap(a, start, end);
	return !more || (more <= limit && space->data_pages <= limit - more);
}

/* Give a whole area other rights. */
static void change_rights(struct user_space *space, struct area *area, unsigned rights, struct tlb_flush *flush)
{
	const uint64_t pages = bytes_to_pages(area->end - area->start);

	if (area->flags & AREA_TOUCHED)
		user_pages_protect(space, area->start, area->end, rights, area->flags & AREA_SHARED, flush);
	user_count_kind(space, -pages, area->rights, area->flags);
	area->rights = rights;
	user_count_kind(space, pages, rights, area->flags);
}

/* Check a call's range: aligned, and below USER_END. Rounds *size up to pages. Returns OK or ERR_RANGE. */
static enum status check_range(vaddr_t va, uint64_t *size)
{
	if (*size > USER_END || !is_aligned(va, PAGE_SIZE))
		return ERR_RANGE;
	*size = align_up(*size, PAGE_SIZE);
	return va > USER_END - *size ? ERR_RANGE : OK;
}

/* Check a range that areas should cover, and round *size up. Returns OK, ERR_RANGE, ERR_NOT_FOUND (a hole). */
static enum status range_status(const struct user_space *space, vaddr_t va, uint64_t *size)
{
	if (check_range(va, size) != OK)
		return ERR_RANGE;
	return user_is_mapped(space, va, *size) ? OK : ERR_NOT_FOUND;
}

enum status user_protect(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights)
{
	struct tlb_flush flush = TLB_FLUSH_NONE;
	enum status status, allowed;
	struct user_spares spares;
	context_token_t token;
	struct area *a;
	vaddr_t end;
	bool touched;

	if (check_range(va, &size) != OK)
		return ERR_RANGE;
	end = va + size;
	allowed = find_allowed(space, va, &end, rights);
	if (end == va)
		return allowed;
	/* Often all of the range has the rights already, as in a dynamic linker's second mprotect: nothing to do. */
	a = area_find(&space->areas, va);
	if (a->rights == rights && a->end >= end)
		return allowed;
	if (!limit_allows(space, va, end, rights))
		return ERR_NO_MEMORY;
	status = user_prepare(space, va, end, &spares, &touched, &token);
	if (status != OK)
		return status;
	user_cut(space, va, &spares);
	user_cut(space, end, &spares);
	for (a = area_find(&space->areas, va); a && a->start < end; a = area_next(a))
		change_rights(space, a, rights, &flush);
	if (touched) {
		context_flush(&space->context, &flush);
		kernel_context_leave(token);
	}
	user_merge(space, va, end);
	user_spares_free(&spares);
	return allowed;
}

bool user_is_private(const struct user_space *space, vaddr_t va, uint64_t size)
{
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start < va + size; a = area_next(a))
		if (a->object || a->flags & AREA_SHARED)
			return false;
	return true;
}

enum status user_dontneed(struct user_space *space, vaddr_t va, uint64_t size)
{
	enum status covered = range_status(space, va, &size), status;
	context_token_t token;
	bool touched = false;

	if ((covered != OK && covered != ERR_NOT_FOUND) || size == 0)
		return covered;
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start < va + size; a = area_next(a))
		touched |= (a->flags & AREA_TOUCHED) != 0;
	if (!touched)
		return covered;
	token = kernel_context_enter();
	status = user_pages_cut(space, va);
	if (status == OK)
		status = user_pages_cut(space, va + size);
	/*
	 * The areas stay, and so do the tables: as the last two arguments (floor and ceiling) are equal, none is freed.
	 */
	if (status == OK)
		user_pages_drop(space, va, va + size, va, va);
	kernel_context_leave(token);
	return status == OK ? covered : status;
}

/* Give a whole area the flags of `value` in place of those of `mask`. */
static void change_flags(struct user_space *space, struct area *area, unsigned mask, unsigned value)
{
	const uint64_t pages = bytes_to_pages(area->end - area->start);

	user_count_kind(space, -pages, area->rights, area->flags);
	area->flags = (area->flags & ~mask) | value;
	user_count_kind(space, pages, area->rights, area->flags);
}

uint64_t user_locked_between(const struct user_space *space, vaddr_t va, uint64_t size)
{
	uint64_t pages = 0;

	if (!space->locked_pages)
		return 0;
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start < va + size; a = area_next(a))
		if (a->flags & AREA_LOCKED)
			pages += user_overlap(a, va, va + size);
	return pages;
}

bool user_lock_allows(const struct user_space *space, uint64_t pages)
{
	const uint64_t most = bytes_to_pages(user_limits_most_locked());

	return pages <= most && space->locked_pages <= most - pages;
}

enum status user_advise(struct user_space *space, vaddr_t va, uint64_t size, enum user_advice advice)
{
	static const unsigned flags[] = {
		[USER_WIPED] = AREA_WIPED,       [USER_KEPT] = AREA_WIPED,        [USER_LEFT_OUT] = AREA_LEFT_OUT,
		[USER_COPIED] = AREA_LEFT_OUT,   [USER_SMALL_PAGES] = AREA_SMALL, [USER_ANY_PAGES] = AREA_SMALL,
		[USER_LOCKED] = AREA_LOCKED,     [USER_UNLOCKED] = AREA_LOCKED,   [USER_NOT_DUMPED] = AREA_NOT_DUMPED,
		[USER_DUMPED] = AREA_NOT_DUMPED,
	};
	const bool policy = advice >= USER_POLICY;
	const bool set = advice == USER_WIPED || advice == USER_LEFT_OUT || advice == USER_SMALL_PAGES ||
			 advice == USER_LOCKED || advice == USER_NOT_DUMPED;
	const unsigned mask = policy ? AREA_POLICY : flags[advice];
	const unsigned value = policy ? (unsigned)(advice - USER_POLICY) << AREA_POLICY_SHIFT : set ? mask : 0;
	enum status covered = range_status(space, va, &size), status;
	struct user_spares spares;
	context_token_t token;
	bool touched;

	if ((covered != OK && covered != ERR_NOT_FOUND) || size == 0)
		return covered;
	if (advice == USER_WIPED && !user_is_private(space, va, size))
		return ERR_RIGHTS;
	status = user_prepare(space, va, va + size, &spares, &touched, &token);
	if (status != OK)
		return status;
	user_cut(space, va, &spares);
	user_cut(space, va + size, &spares);
	for (struct area *a = area_find_from(&space->areas, va); a && a->start < va + size; a = area_next(a))
		change_flags(space, a, mask, value);
	if (touched)
		kernel_context_leave(token);
	user_merge(space, va, va + size);
	user_spares_free(&spares);
	return covered;
}
