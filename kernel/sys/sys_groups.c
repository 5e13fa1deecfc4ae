/*
 * System calls about supplementary groups: getgroups(2) and setgroups(2).
 */
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/rights.h"

#define SORTED_AT_ONCE 1024 /* elements that are moved to their places before other tasks may run */

SYSCALL_2(getgroups, size, to)
{
	const struct group_list *groups = rights_current()->groups;
	uint32_t count = groups ? groups->count : 0;
	int error;

	if ((int)size < 0)
		return -EINVAL;
	if (!(int)size || !count)
		return count;
	if (count > (uint32_t)size)
		return -EINVAL;
	error = args_put(to, groups->gids, count * sizeof(groups->gids[0]));
	return error ? error : (int64_t)count;
}

/*
 * Restore the order of the heap (as in heap sort) that the first `count` elements are: move the element at `at` down
 * until none of its children is greater.
 */
static void sink(uint32_t *gids, uint32_t at, uint32_t count)
{
	uint32_t gid = gids[at];

	for (;;) {
		uint32_t below = 2 * at + 1;

		if (below >= count)
			break;
		if (below + 1 < count && gids[below + 1] > gids[below])
			below++;
		if (gids[below] <= gid)
			break;
		gids[at] = gids[below];
		at = below;
	}
	gids[at] = gid;
}

/* Sort the groups by heap sort, and let other tasks run meanwhile. Returns false when the task must end. */
static bool sort(struct group_list *groups)
{
	uint32_t *gids = groups->gids, steps = 0;

	for (uint32_t at = groups->count / 2; at--;) {
		sink(gids, at, groups->count);
		if (++steps % SORTED_AT_ONCE == 0 && task_give_way())
			return false;
	}
	for (uint32_t last = groups->count; last-- > 1;) {
		uint32_t greatest = gids[0];

		gids[0] = gids[last];
		gids[last] = greatest;
		sink(gids, 0, last);
		if (++steps % SORTED_AT_ONCE == 0 && task_give_way())
			return false;
	}
	return true;
}

/* Make a sorted list from user memory. Returns 0, -ENOMEM, -EFAULT, -EINVAL (no such group), -EINTR. */
static int get_list(uint32_t count, uint64_t from, struct group_list **ret)
{
	struct group_list *groups = group_list_create(count);
	int error;

	if (!groups)
		return -ENOMEM;
	error = args_get(groups->gids, from, count * sizeof(groups->gids[0]));
	if (!error && !sort(groups))
		error = -EINTR;
	/* UINT32_MAX, which is no group, is the last one of a sorted list. */
	if (!error && groups->gids[count - 1] == UINT32_MAX)
		error = -EINVAL;
	if (error)
		group_list_put(groups);
	else
		*ret = groups;
	return error;
}

SYSCALL_2(setgroups, count, from)
{
	struct group_list *groups = NULL;
	struct credentials *who;
	int error = 0;

	if (!rights_can(CAP_SETGID))
		return -EPERM;
	if ((uint32_t)count > GROUPS_MOST)
		return -EINVAL;
	if ((uint32_t)count)
		error = get_list((uint32_t)count, from, &groups);
	if (error)
		return error;
	who = credentials_copy(rights_current());
	if (!who) {
		group_list_put(groups);
		return -ENOMEM;
	}
	group_list_put(who->groups);
	who->groups = groups;
	return rights_replace(who);
}
