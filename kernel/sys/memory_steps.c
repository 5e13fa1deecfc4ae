/*
 * Operations on large ranges of a process's user memory (its space), in pieces between which other tasks run; see
 * memory_steps.h. A range that is small or invalid is passed as a whole to the function of kernel/mm/user, which
 * returns the error for an invalid one.
 */
#include "kernel/sys/memory_steps.h"

#include "kernel/fs/errno.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/task/process.h"
#include "kernel/task/space_work.h"
#include "kernel/task/user_return.h"

/* Return whether [va, va + size) is a valid range of user addresses, and large enough to be worked on in pieces. */
static bool has_pieces(vaddr_t va, uint64_t size)
{
	return size > MEMORY_STEP && va % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && size <= USER_END &&
	       va <= USER_END - size;
}

/*
 * Call `step` for each piece of the range. Returns the first error of a step; ERR_NOT_FOUND also when the task must
 * end.
 */
static enum status in_pieces(struct user_space *space, vaddr_t va, uint64_t size, space_step_fn *step, void *ctx)
{
	enum status status;

	if (space_work_begin(space) != 0)
		return ERR_NOT_FOUND;
	status = space_work(space, va, va + size, step, ctx);
	space_work_end(space);
	return status;
}

static enum status unmap(struct user_space *space, vaddr_t va, uint64_t size, void *ctx)
{
	(void)ctx;
	return user_unmap(space, va, size);
}

enum status memory_unmap_long(struct user_space *space, vaddr_t va, uint64_t size)
{
	if (size <= USER_END)
		size = page_round_up(size);
	/*
	 * In a space that has as many areas as allowed, unmapping fails if it has to split an area: then one call must
	 * do it all, so that nothing is unmapped when it fails.
	 */
	if (!has_pieces(va, size) || space->areas.count >= USER_AREAS_MAX)
		return space_wait(space) != 0 ? ERR_NOT_FOUND : user_unmap(space, va, size);
	return in_pieces(space, va, size, unmap, NULL);
}

static enum status protect(struct user_space *space, vaddr_t va, uint64_t size, void *ctx)
{
	return user_protect(space, va, size, *(const unsigned *)ctx);
}

enum status memory_protect_long(struct user_space *space, vaddr_t va, uint64_t size, unsigned rights)
{
	if (size <= USER_END)
		size = page_round_up(size);
	if (!has_pieces(va, size))
		return space_wait(space) != 0 ? ERR_NOT_FOUND : user_protect(space, va, size, rights);
	return in_pieces(space, va, size, protect, &rights);
}

enum status memory_remap(struct user_space *space, vaddr_t va, uint64_t size, uint64_t new_size, unsigned flags,
			 vaddr_t to, vaddr_t *ret_va)
{
	enum status status;

	if (memory_is_short(space, size) && new_size <= MEMORY_STEP)
		return user_remap(space, va, size, new_size, flags, to, ret_va);
	/*
	 * First unmap in pieces what user_remap() would unmap at once: the memory at `to`, and the end of a range that
	 * shrinks.
	 */
	status = user_remap_check(space, va, size, new_size, flags, to);
	if (status == OK && flags & USER_REMAP_FIXED)
		status = memory_unmap(space, to, new_size);
	if (status == OK && page_round_up(new_size) < page_round_up(size)) {
		status = memory_unmap(space, va + page_round_up(new_size),
				      page_round_up(size) - page_round_up(new_size));
		size = new_size;
	}
	if (status != OK)
		return status;
	if (space_work_begin(space) != 0)
		return ERR_NO_MEMORY;
	status = user_remap(space, va, size, new_size, flags, to, ret_va);
	space_work_end(space);
	return status;
}

/*
 * The argument of drop() and advise(), steps that go on after a part of the range that is not mapped. Guard: only the
 * calling task uses it.
 */
struct around_holes {
	enum user_advice advice; /* for advise() only */
	bool hole;               /* a step has found a part that is not mapped */
};

static enum status note_hole(enum status status, struct around_holes *holes)
{
	if (status != ERR_NOT_FOUND)
		return status;
	holes->hole = true;
	return OK;
}

static enum status drop(struct user_space *space, vaddr_t va, uint64_t size, void *ctx)
{
	return note_hole(user_dontneed(space, va, size), ctx);
}

enum status memory_drop(struct user_space *space, vaddr_t va, uint64_t size)
{
	struct around_holes holes = { .hole = false };
	enum status status;

	if (!has_pieces(va, size))
		return space_wait(space) != 0 ? ERR_NOT_FOUND : user_dontneed(space, va, size);
	status = in_pieces(space, va, size, drop, &holes);
	return status == OK && holes.hole ? ERR_NOT_FOUND : status;
}

static enum status advise(struct user_space *space, vaddr_t va, uint64_t size, void *ctx)
{
	struct around_holes *holes = ctx;

	return note_hole(user_advise(space, va, size, holes->advice), holes);
}

enum status memory_advise(struct user_space *space, vaddr_t va, uint64_t size, enum user_advice advice)
{
	struct around_holes holes = { .advice = advice };
	enum status status;

	if (!has_pieces(va, size))
		return space_wait(space) != 0 ? ERR_NOT_FOUND : user_advise(space, va, size, advice);
	status = in_pieces(space, va, size, advise, &holes);
	return status == OK && holes.hole ? ERR_NOT_FOUND : status;
}

static int check_remove(const struct area *area)
{
	if (!area->object)
		return -EINVAL;
	/* As on Linux the mapping need not be writable now, but must be one that could become so. */
	if (!(area->flags & AREA_SHARED) || area->flags & AREA_READ_ONLY)
		return -EACCES;
	return area->object->ops->take ? 0 : -EOPNOTSUPP;
}

/*
 * Remove from the object of `area` the pages that the area maps in [start, end). Returns 0, or -EINTR: the task must
 * end.
 */
static int remove_from(const struct area *area, vaddr_t start, vaddr_t end)
{
	const uint64_t first = area->offset + (start - area->start) / PAGE_SIZE;
	struct object_hole hole = { .object = area->object, .next = first, .end = first + (end - start) / PAGE_SIZE };
	bool ends = false;

	/*
	 * The object cannot go away: while the space is worked on in pieces, no task of the process removes the area.
	 */
	while (object_hole_piece(&hole) && !(ends && !hole.taken.count))
		ends |= task_give_way();
	return ends ? -EINTR : 0;
}

int memory_remove(struct user_space *space, vaddr_t va, uint64_t size)
{
	const vaddr_t end = va + size;
	bool hole = false;
	int error = space_work_begin(space);

	if (error)
		return error;
	for (const struct area *a = area_find_from(&space->areas, va); a && a->start < end && !error;
	     a = area_next(a)) {
		const vaddr_t low = a->start > va ? a->start : va;

		hole |= a->start > va;
		va = a->end < end ? a->end : end;
		error = check_remove(a);
		if (!error)
			error = remove_from(a, low, va);
		if (!error && task_give_way())
			error = -EINTR;
	}
	space_work_end(space);
	return !error && (hole || va < end) ? -ENOMEM : error;
}

enum status memory_populate(struct user_space *space, vaddr_t va, uint64_t size, enum user_rights access)
{
	struct user_taken taken = { 0 };
	const vaddr_t end = va + size;
	enum status status = OK;

	while (va < end && status == OK) {
		status = user_populate_piece(space, &va, end, access, &taken);
		if (status == OK && task_give_way())
			return ERR_NO_MEMORY;
	}
	if (status == ERR_NO_MEMORY && process_current()->task_count == 1 && space->users == 1)
		while (user_give_back(space, &taken))
			(void)task_give_way();
	return status;
}

static enum status check_mapped(struct user_space *space, vaddr_t va, uint64_t size, void *ctx)
{
	(void)ctx;
	return user_is_mapped(space, va, size) ? OK : ERR_NOT_FOUND;
}

bool memory_is_mapped(struct user_space *space, vaddr_t va, uint64_t size)
{
	if (space->areas.count < 512 || !has_pieces(va, size))
		return user_is_mapped(space, va, size);
	return in_pieces(space, va, size, check_mapped, NULL) == OK;
}
