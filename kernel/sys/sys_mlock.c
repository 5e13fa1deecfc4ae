/*
 * mlock(2) and its kin. Nothing is ever paged out: to lock memory is to bring all its pages in, and to count them for
 * RLIMIT_MEMLOCK, /proc/PID/status and smaps.
 */
#include "kernel/fs/errno.h"
#include "kernel/mm/user/user_advice.h"
#include "kernel/mm/user/user_space.h"
#include "kernel/sys/memory_steps.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/process.h"
#include "kernel/task/user_return.h"

#define MLOCK_ONFAULT 1
#define MCL_CURRENT   1
#define MCL_FUTURE    2
#define MCL_ONFAULT   4
#define MCL_ALL       7

static struct user_space *space_here(void)
{
	return process_current()->space;
}

/*
 * Round a range that is to be locked or unlocked to whole pages; as on Linux a size that wraps to 0 means no pages.
 * Returns 0, -EINVAL (the range wraps), -ENOMEM (not all is mapped).
 */
static int find_range(uint64_t va, uint64_t size, uint64_t *ret_start, uint64_t *ret_size)
{
	uint64_t start = va & ~(uint64_t)(PAGE_SIZE - 1);

	size = page_round_up(size + (va - start));
	if (start + size < start)
		return -EINVAL;
	*ret_start = start;
	*ret_size = size;
	return !size || memory_is_mapped(space_here(), start, size) ? 0 : -ENOMEM;
}

/*
 * Check whether the caller may have the pages of a range locked, besides those that are locked already. Returns 0,
 * -EPERM (it may lock nothing), -ENOMEM.
 */
static int check_limit(uint64_t start, uint64_t size)
{
	const struct user_space *space = space_here();

	if (!user_limits_most_locked())
		return -EPERM;
	return user_lock_allows(space, size / PAGE_SIZE - user_locked_between(space, start, size)) ? 0 : -ENOMEM;
}

/*
 * Lock a range. Returns find_range's errors and check_limit's, -ENOMEM (a page that the program may not read), -EAGAIN
 * (no memory). As on Linux the range counts as locked also when pages could not be brought in.
 */
static int64_t lock_range(uint64_t va, uint64_t size, bool fetches)
{
	uint64_t start;
	int error = find_range(va, size, &start, &size);

	if (!error && size)
		error = check_limit(start, size);
	if (!error && size)
		error = errno_of(memory_advise(space_here(), start, size, USER_LOCKED));
	if (error || !size || !fetches)
		return error;
	switch (memory_populate(space_here(), start, size, USER_READ)) {
	case OK:
		return 0;
	case ERR_NO_MEMORY:
		return -EAGAIN;
	default:
		return -ENOMEM;
	}
}

SYSCALL_2(mlock, va, size)
{
	return lock_range(va, size, true);
}

SYSCALL_3(mlock2, va, size, flags)
{
	if ((uint32_t)flags & ~(uint32_t)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(va, size, !flags);
}

SYSCALL_2(munlock, va, size)
{
	int error = find_range(va, size, &va, &size);

	if (error || !size || !space_here()->locked_pages)
		return error;
	return errno_of(memory_advise(space_here(), va, size, USER_UNLOCKED));
}

/* Give the advice USER_LOCKED or USER_UNLOCKED for the whole space. Returns 0, -ENOMEM. */
static int advise_all(enum user_advice advice)
{
	enum status status = memory_advise(space_here(), USER_MIN, USER_END - USER_MIN, advice);

	/* ERR_NOT_FOUND only says that some of the address space is not mapped, which is always so. */
	return status == ERR_NOT_FOUND ? 0 : errno_of(status);
}

/* Bring in the pages of all areas, as far as that is possible. */
static void fetch_all(void)
{
	struct user_space *space = space_here();
	vaddr_t end;

	/* Other tasks may run while pages are brought in, and change the areas: find the next area by its address. */
	for (const struct area *a = area_find_from(&space->areas, 0); a; a = area_find_from(&space->areas, end)) {
		end = a->end;
		if (a->rights & USER_READ)
			(void)memory_populate(space, a->start, a->end - a->start, USER_READ);
		if (task_give_way())
			return;
	}
}

SYSCALL_1(mlockall, flags)
{
	struct user_space *space = space_here();
	int error = 0;

	if (!flags || flags & ~(uint64_t)MCL_ALL || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!user_limits_most_locked())
		return -EPERM;
	if (flags & MCL_CURRENT) {
		if (space->mapped_pages > user_limits_most_locked() / PAGE_SIZE)
			return -ENOMEM;
		error = advise_all(USER_LOCKED);
	}
	if (error)
		return error;
	space->locks_new = flags & MCL_FUTURE;
	space->locks_at_touch = flags & MCL_ONFAULT;
	if (flags & MCL_CURRENT && !(flags & MCL_ONFAULT))
		fetch_all();
	return 0;
}

SYSCALL_0(munlockall)
{
	struct user_space *space = space_here();

	space->locks_new = false;
	return space->locked_pages ? advise_all(USER_UNLOCKED) : 0;
}
