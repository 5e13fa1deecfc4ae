/*
 * The rules of rename(2) that are the same in every file system.
 */
#include "kernel/fs/node_internal.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/permission.h"

uint64_t node_moves; /* see node.h; guard: tasks only, which the kernel does not preempt */

/* Check renameat2(2)'s flags against `goal`, the node that has the new name already, or NULL. */
static int check_wanted(const struct node *goal, unsigned flags)
{
	if (goal && flags & RENAME_NOREPLACE)
		return -EEXIST;
	return !goal && flags & RENAME_EXCHANGE ? -ENOENT : 0;
}

/*
 * Refuse a rename loop: a directory must not be moved below itself, where no path would lead to it; and must not
 * replace a directory that contains it.
 */
static int check_loop(const struct node *from, const struct node *node, const struct node *to, const struct node *goal,
		      unsigned flags)
{
	if (node_is(node, S_IFDIR) && node_is_inside(to, node))
		return -EINVAL;
	if (goal && node_is(goal, S_IFDIR) && node_is_inside(from, goal))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* Check that `node` and `goal`, which it is to replace, are both directories, or that neither is one. */
static int check_replaced(const struct node *node, const struct node *goal)
{
	if (node_is(node, S_IFDIR) == node_is(goal, S_IFDIR))
		return 0;
	return node_is(node, S_IFDIR) ? -ENOTDIR : -EISDIR;
}

/*
 * Check whether `who` may move `node` from `from` to `to`. A directory that gets another parent must itself be
 * writable, since its ".." changes.
 */
static int check_move(const struct node *from, const struct credentials *who, const struct node *node,
		      const struct node *to)
{
	int error = node_permit_remove(from, who, node);

	if (!error && from != to && node_is(node, S_IFDIR))
		error = node_permit(node, who, ACCESS_WRITE);
	return error;
}

/*
 * Check whether `who` may rename `node`, in the directory `from`, to a name in the directory `to` that the node `goal`
 * has, or that is free (NULL).
 */
static int check_rights(const struct node *from, const struct credentials *who, const struct node *node,
			const struct node *to, const struct node *goal, unsigned flags)
{
	int error = check_move(from, who, node, to);

	if (!error && !goal)
		return node_permit_create(to, who, S_IFREG);
	if (!error && flags & RENAME_EXCHANGE)
		return check_move(to, who, goal, from);
	return error ? error : node_permit_remove(to, who, goal);
}

/* Check whether `node`, in the directory `from`, may get the name of `goal` (or NULL: a free name) in `to`. */
static int check_rename(const struct node *from, const struct credentials *who, const struct node *node,
			const struct node *to, const struct node *goal, unsigned flags)
{
	int error = check_wanted(goal, flags);

	if (!error)
		error = check_loop(from, node, to, goal, flags);
	/* When both names belong to one file nothing will be changed. */
	if (!error && node != goal)
		error = check_rights(from, who, node, to, goal, flags);
	if (!error && (node->mounts || (goal && goal->mounts)))
		error = -EBUSY;
	if (!error && goal && !(flags & RENAME_EXCHANGE))
		error = check_replaced(node, goal);
	return error;
}

/* Tell the watchers that `node` was moved, and took the name of `replaced`, if that is not NULL. */
static void tell_moved(struct node *from, struct name old_name, struct node *to, struct name new_name,
		       struct node *node, struct node *replaced)
{
	const uint32_t cookie = notify_new_cookie();

	notify_name_now(from, old_name, node->mode, IN_MOVED_FROM, cookie);
	notify_name_now(to, new_name, node->mode, IN_MOVED_TO, cookie);
	if (from == to)
		notify_name_now(from, old_name, node->mode, NOTIFY_RENAMED, cookie);
	if (replaced)
		notify_self_now(replaced, IN_ATTRIB);
	notify_self_now(node, IN_MOVE_SELF);
}

int node_rename(struct node *from, struct name old_name, const struct credentials *who, struct node *to,
		struct name new_name, unsigned flags)
{
	struct node *node = NULL, *goal = NULL;
	int error;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) || flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if (node_is_dots(old_name) || node_is_dots(new_name))
		return -EBUSY;
	if (from->fs != to->fs)
		return -EXDEV;
	error = node_find_own(from, old_name, &node);
	if (error)
		return error;
	error = node_find_own(to, new_name, &goal);
	if (error == -ENOENT)
		error = node_check_new(to, new_name);
	if (!error)
		error = check_rename(from, who, node, to, goal, flags);
	/* When both names belong to one file rename(2) does nothing, and both names stay. */
	open_gate_close(&node_names);
	if (!error && node != goal)
		error = from->ops->rename ? from->ops->rename(from, old_name, to, new_name, flags) : -EPERM;
	open_gate_open(&node_names);
	if (!error && from != to)
		node_moves++;
	if (!error && node != goal && notify_is_wanted(from)) {
		tell_moved(from, old_name, to, new_name, node, flags & RENAME_EXCHANGE ? NULL : goal);
		if (flags & RENAME_EXCHANGE)
			tell_moved(to, new_name, from, old_name, goal, NULL);
	}
	node_put(goal);
	node_put(node);
	return error;
}
