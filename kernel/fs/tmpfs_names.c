/*
 * The names of a tmpfs. A directory entry (directory.c) points to its node and to its directory; a node has a list of
 * its entries. A directory that is not empty cannot be removed, so entry->dir is valid as long as the entry is.
 */
#include "kernel/fs/tmpfs_names.h"

#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

static void touch(struct node *dir)
{
	dir->mtime = dir->ctime = node_now();
}

/* Add `entry` to the node's list of names. The oldest name stays first in the list, since /proc shows the first. */
static void add_name(struct directory_entry *entry, struct node *node)
{
	struct directory_entry **link = &tmpfs_node(node)->names;

	if (*link)
		link = &(*link)->next_name;
	entry->node = node;
	entry->next_name = *link;
	entry->name_link = link;
	if (*link)
		(*link)->name_link = &entry->next_name;
	*link = entry;
}

static void remove_name(struct directory_entry *entry)
{
	*entry->name_link = entry->next_name;
	if (entry->next_name)
		entry->next_name->name_link = entry->name_link;
}

/*
 * Return whether `node`, which is about to lose a name, loses its last one and has other references, such as an open
 * file.
 */
static bool outlives_name(const struct node *node)
{
	return !node_is(node, S_IFDIR) && node->links == 1 && node->refs > 1;
}

/*
 * Keep `entry`, the last name of a file that outlives the name, for /proc. `entry` must be in no directory any more;
 * node->parent becomes a reference to `dir`, the directory that it was in.
 */
static void keep_name(struct directory_entry *entry, struct node *node, struct node *dir)
{
	entry->dir = dir;
	add_name(entry, node);
	node->parent = node_get(dir);
}

/* Undo keep_name(). Does nothing when the node has no kept name. */
static void forget_name(struct node *node)
{
	struct tmpfs_node *nameless = tmpfs_node(node);
	struct node *dir = node->parent;

	if (!nameless->names)
		return;
	kfree(nameless->names);
	nameless->names = NULL;
	node->parent = NULL;
	node_put(dir);
}

int tmpfs_lookup(struct node *dir, struct name name, struct node **ret)
{
	struct directory_entry *entry = directory_find(directory_of(dir), name);

	if (!entry)
		return -ENOENT;
	*ret = node_get(entry->node);
	return 0;
}

int tmpfs_next(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	struct directory_entry *entry = directory_at(directory_of(dir), *position);

	if (!entry)
		return 0;
	*ret = (struct dir_entry){ { entry->text, entry->size }, entry->node->number, entry->node->mode };
	*position = entry->position + 1;
	return 1;
}

int tmpfs_place(struct node *node, struct node_place *ret)
{
	const struct directory_entry *entry = tmpfs_node(node)->names;

	if (!entry)
		return -ENOENT;
	*ret = (struct node_place){ entry->dir, { entry->text, entry->size }, !node->links };
	return 0;
}

/* Count one more name of `node`, in `dir`. All names together hold one reference, which the first name takes. */
static void count_link(struct node *dir, struct node *node)
{
	if (!node->links) {
		node_get(node);
		node->fs->own++;
	}
	node->links++;
	node->ctime = node_now();
	if (!node_is(node, S_IFDIR))
		return;
	node->links = 2;
	node->parent = node_get(dir);
	node->fs->own++;
	dir->links++;
}

/*
 * Reduce the number of node's names by one, after a name in `dir` has been removed; when none is left, drop the
 * reference that the names had. `last`: NULL, or an entry of the removed name that is in no directory and no list any
 * more: the node keeps it (keep_name) if the file outlives its last name; it is freed otherwise. A removed directory
 * keeps its reference to its parent until it is freed.
 */
static void drop_link(struct node *dir, struct node *node, struct directory_entry *last)
{
	node->ctime = node_now();
	if (last && outlives_name(node))
		keep_name(last, node, dir);
	else
		kfree(last);
	if (node_is(node, S_IFDIR)) {
		dir->links--;
		node->links = 1;
		node->fs->own--;
	}
	if (--node->links)
		return;
	node->fs->own--;
	node_put(node);
}

static int add_entry(struct node *dir, struct name name, struct node *node)
{
	struct directory_entry *entry;

	if (directory_find(directory_of(dir), name))
		return -EEXIST;
	entry = directory_entry_create(name);
	if (!entry)
		return -ENOMEM;
	if (directory_reserve(directory_of(dir)) != 0) {
		kfree(entry);
		return -ENOMEM;
	}
	if (!node->links)
		forget_name(node);
	entry->dir = dir;
	add_name(entry, node);
	directory_add(directory_of(dir), entry);
	touch(dir);
	return 0;
}

int tmpfs_link(struct node *dir, struct name name, struct node *node)
{
	int error = add_entry(dir, name, node);

	if (!error)
		count_link(dir, node);
	return error;
}

static bool is_full_directory(struct node *node)
{
	return node_is(node, S_IFDIR) && directory_of(node)->count;
}

int tmpfs_unlink(struct node *dir, struct name name)
{
	struct directory_entry *entry = directory_find(directory_of(dir), name);
	struct node *node;

	if (!entry)
		return -ENOENT;
	node = entry->node;
	if (is_full_directory(node))
		return -ENOTEMPTY;
	touch(dir);
	directory_remove(directory_of(dir), entry);
	remove_name(entry);
	drop_link(dir, node, entry);
	return 0;
}

/* Update `node`, which has moved from the directory `from` to `to`: its ctime, and the parent of a directory. */
static void set_parent(struct node *node, struct node *from, struct node *to)
{
	node->ctime = node_now();
	if (!node_is(node, S_IFDIR) || from == to)
		return;
	from->links--;
	to->links++;
	node->parent = node_get(to);
	node_put(from);
}

static void remove_entry(struct node *dir, struct directory_entry *entry)
{
	directory_remove(directory_of(dir), entry);
	remove_name(entry);
	kfree(entry);
}

int tmpfs_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags)
{
	struct directory_entry *entry = directory_find(directory_of(from), old_name);
	struct directory_entry *goal = directory_find(directory_of(to), new_name);
	struct node *node = entry->node;

	if (flags & RENAME_EXCHANGE) {
		struct node *other = goal->node;

		remove_name(entry);
		remove_name(goal);
		add_name(entry, other);
		add_name(goal, node);
		set_parent(other, to, from);
	} else if (goal) {
		struct node *replaced = goal->node;
		struct directory_entry *last;

		if (is_full_directory(replaced))
			return -ENOTEMPTY;
		last = outlives_name(replaced) ? directory_entry_create(new_name) : NULL;
		remove_entry(from, entry);
		remove_name(goal);
		add_name(goal, node);
		drop_link(to, replaced, last);
	} else {
		int error = add_entry(to, new_name, node);

		if (error)
			return error;
		remove_entry(from, entry);
	}
	set_parent(node, from, to);
	touch(from);
	touch(to);
	return 0;
}

#define EMPTY_STEPS 128 /* names that one tmpfs_empty_some() removes or goes through */

/* Go down and up the tree in a loop: recursion could overflow the kernel stack, as trees may be deep. */
bool tmpfs_empty_some(struct node *root, struct node **at)
{
	struct node *dir = *at;

	for (unsigned i = 0; i < EMPTY_STEPS; i++) {
		struct directory_entry *entry = directory_of(dir)->first;

		if (!entry && dir == root)
			return true;
		if (!entry) {
			dir = dir->parent;
			entry = directory_of(dir)->first;
		}
		if (is_full_directory(entry->node)) {
			dir = entry->node;
			continue;
		}
		tmpfs_unlink(dir, (struct name){ entry->text, entry->size });
	}
	*at = dir;
	return false;
}
