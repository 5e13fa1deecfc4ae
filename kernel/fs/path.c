/*
 * Operations on paths: each walks the path (path_walk.c) up to its last name, and then does something with that name.
 */
#include "kernel/fs/path.h"

#include "kernel/fs/file.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/path_walk.h"
#include "kernel/fs/permission.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

/* Walk to the node that the path leads to; *ret is a new reference to it. */
static int find(struct walk *walk, unsigned flags, struct node **ret)
{
	struct node *node;
	int error;

	for (;;) {
		error = walk_to_end(walk);
		if (!error)
			error = walk_look(walk, &node);
		if (error)
			return error;
		if (!node_is(node, S_IFLNK) || (flags & PATH_NO_FOLLOW && !walk->slash))
			break;
		error = walk_follow_last(walk, node, &node);
		if (error)
			return error;
		if (node)
			break;
	}
	if ((walk->slash || flags & PATH_DIRECTORY) && !node_is(node, S_IFDIR)) {
		node_put(node);
		return -ENOTDIR;
	}
	*ret = node;
	return 0;
}

int path_lookup(const struct path_base *base, const char *path, unsigned flags, struct node **ret)
{
	struct walk walk;
	int error;

	if (!*path && flags & PATH_EMPTY) {
		*ret = node_get(base->start);
		return 0;
	}
	error = walk_start(&walk, base, path);
	if (error)
		return error;
	error = find(&walk, flags, ret);
	walk_end(&walk);
	return error;
}

int path_lookup_end(const struct path_base *base, const char *path, struct path_end *ret)
{
	struct walk walk;
	int error = walk_start(&walk, base, path);

	if (error)
		return error;
	error = walk_to_end(&walk);
	if (error)
		walk_end(&walk);
	else
		*ret = (struct path_end){ walk.dir, walk.name, walk.slash, walk.text };
	return error;
}

void path_end_put(struct path_end *end)
{
	node_put(end->dir);
	kfree(end->text);
}

/* Find the node to open, or make it and set *ret_made. *ret is a new reference. */
static int find_or_make(struct walk *walk, unsigned flags, uint32_t mode, struct node **ret, bool *ret_made)
{
	for (;;) {
		struct node *node;
		int error = walk_to_end(walk);

		if (!error)
			error = walk_look(walk, &node);
		if (error == -ENOENT && walk->rest && !*walk->rest && walk->name.size) {
			if (walk->slash)
				return -EISDIR;
			*ret_made = true;
			return node_create(walk->dir, walk->name, walk->who, S_IFREG | (mode & MODE_PERMISSIONS), 0,
					   ret);
		}
		if (error)
			return error;
		if (flags & O_EXCL) {
			node_put(node);
			return -EEXIST;
		}
		if (!node_is(node, S_IFLNK) || (flags & O_NOFOLLOW && !walk->slash)) {
			*ret = node;
			return 0;
		}
		error = walk_follow_last(walk, node, ret);
		if (error || *ret)
			return error;
	}
}

/* Return the error with which open(2) refuses an existing node, by its type and the flags; or 0. */
static int check_open(const struct walk *walk, const struct node *node, unsigned flags)
{
	if (node_is(node, S_IFLNK) && !(flags & O_PATH))
		return -ELOOP;
	if (!node_is(node, S_IFDIR) && (flags & O_DIRECTORY || walk->slash))
		return -ENOTDIR;
	if (node_is(node, S_IFDIR) && flags & O_CREAT)
		return -EISDIR;
	return 0;
}

int path_open(const struct path_base *base, const char *path, unsigned flags, uint32_t mode, struct file **ret)
{
	struct walk walk;
	struct node *node;
	struct file *file;
	bool made = false;
	int error;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	error = walk_start(&walk, base, path);
	if (error)
		return error;
	if (flags & O_CREAT)
		error = find_or_make(&walk, flags, mode, &node, &made);
	else
		error = find(&walk, flags & O_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW, &node);
	if (error) {
		walk_end(&walk);
		return error;
	}
	error = check_open(&walk, node, flags);
	/* Who makes a file may open it in any way, whatever permissions it gives to the file. */
	if (!error && !made && !(flags & O_PATH))
		error = node_permit_open(node, base->who, flags);
	if (!error)
		error = file_open(node, flags, &file);
	/* As on Linux O_TRUNC is a change of an existing file that was empty before, too. */
	if (!error && !made && flags & O_TRUNC && node_is(node, S_IFREG) && !node->size)
		notify_node(node, IN_MODIFY);
	/* Remove a file that was made by this call and could not be opened. */
	if (error && made)
		(void)node_unlink(walk.dir, walk.name, base->who);
	node_put(node);
	walk_end(&walk);
	if (!error)
		*ret = file;
	return error;
}

int path_create(const struct path_base *base, const char *path, uint32_t mode, uint64_t device)
{
	struct path_end end;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	if (end.slash && (mode & S_IFMT) != S_IFDIR)
		error = -ENOENT;
	else
		error = node_create(end.dir, end.name, base->who, mode, device, NULL);
	path_end_put(&end);
	return error;
}

int path_symlink(const struct path_base *base, const char *path, const char *target)
{
	struct path_end end;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	if (end.slash)
		error = -ENOENT;
	else
		error = node_symlink(end.dir, end.name, base->who, (struct name){ target, strlen(target) }, NULL);
	path_end_put(&end);
	return error;
}

int path_link(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
	      const char *new_path, unsigned flags)
{
	struct node *node;
	struct path_end end;
	int error = path_lookup(old_base, old_path, flags, &node);

	if (error)
		return error;
	error = path_lookup_end(new_base, new_path, &end);
	if (!error) {
		error = end.slash ? -ENOENT : node_link(end.dir, end.name, new_base->who, node);
		path_end_put(&end);
	}
	node_put(node);
	return error;
}

int path_unlink(const struct path_base *base, const char *path)
{
	struct path_end end;
	struct node *node;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	if (end.slash) {
		error = node_lookup(base->root, end.dir, end.name, &node);
		if (!error) {
			error = node_is(node, S_IFDIR) ? -EISDIR : -ENOTDIR;
			node_put(node);
		}
	} else {
		error = node_unlink(end.dir, end.name, base->who);
	}
	path_end_put(&end);
	return error;
}

int path_rmdir(const struct path_base *base, const char *path)
{
	struct path_end end;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	error = node_rmdir(end.dir, end.name, base->who);
	path_end_put(&end);
	return error;
}

/* Check, when either name has a slash behind it, that a directory is renamed: "name/" can only mean a directory. */
static int check_slashes(const struct path_base *base, const struct path_end *from, const struct path_end *to)
{
	struct node *node;
	int error;

	if (!from->slash && !to->slash)
		return 0;
	error = node_lookup(base->root, from->dir, from->name, &node);
	if (error)
		return error;
	error = node_is(node, S_IFDIR) ? 0 : -ENOTDIR;
	node_put(node);
	return error;
}

int path_rename(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
		const char *new_path, unsigned flags)
{
	struct path_end from, to;
	int error = path_lookup_end(old_base, old_path, &from);

	if (error)
		return error;
	error = path_lookup_end(new_base, new_path, &to);
	if (!error) {
		error = check_slashes(old_base, &from, &to);
		if (!error)
			error = node_rename(from.dir, from.name, old_base->who, to.dir, to.name, flags);
		path_end_put(&to);
	}
	path_end_put(&from);
	return error;
}

static int place_of(struct node *node, struct node_place *ret)
{
	return node->ops->place ? node->ops->place(node, ret) : -ENOENT;
}

/*
 * Write the path of `dir` from `root` in front of the text that fills the buffer from buffer[at] to its end, then move
 * the whole to the buffer's start. Returns as path_of_directory.
 */
static int put_path(struct node *root, struct node *dir, char *buffer, size_t size, size_t at, size_t *ret_size)
{
	size_t end = at;

	while (dir != root) {
		struct node_place place;

		if (dir->covers) {
			dir = dir->covers;
			continue;
		}
		if (place_of(dir, &place) != 0 || place.gone)
			return -ENOENT;
		if (place.name.size + 1 > at)
			return -ERANGE;
		at -= place.name.size + 1;
		buffer[at] = '/';
		memcpy(buffer + at + 1, place.name.text, place.name.size);
		dir = place.dir;
	}
	if (at == end && !buffer[at]) {
		if (!at)
			return -ERANGE;
		buffer[--at] = '/';
	}
	memmove(buffer, buffer + at, size - at);
	*ret_size = size - at;
	return 0;
}

int path_of_directory(struct node *root, struct node *dir, char *buffer, size_t size, size_t *ret_size)
{
	if (!size)
		return -ERANGE;
	buffer[size - 1] = '\0';
	return put_path(root, dir, buffer, size, size - 1, ret_size);
}

/* Write "/#NUMBER" in place of a path, for a node that has no name any more or whose names are not known. */
static int nameless(const struct node *node, char *buffer, size_t size, size_t *ret_size)
{
	size_t length = format_s(buffer, size, "/#%llu%s", (unsigned long long)node->number,
				 node->links && !node_is(node, S_IFDIR) ? "" : " (deleted)");

	*ret_size = length + 1;
	return length < size ? 0 : -ERANGE;
}

/* Write the path of place->dir, a slash, place->name, and " (deleted)" if the node has lost that name. */
static int put_path_of(struct node *root, const struct node_place *place, char *buffer, size_t size, size_t *ret_size)
{
	const char *end = place->gone ? " (deleted)" : "";
	size_t at, more = strlen(end) + 1;

	if (place->name.size + 1 + more > size)
		return -ERANGE;
	at = size - more - place->name.size - 1;
	buffer[at] = '/';
	memcpy(buffer + at + 1, place->name.text, place->name.size);
	memcpy(buffer + size - more, end, more);
	return put_path(root, place->dir, buffer, size, at, ret_size);
}

int path_of_node(struct node *root, struct node *node, char *buffer, size_t size, size_t *ret_size)
{
	struct node_place place;
	size_t length;
	int error;

	if (node->ops->describe) {
		length = node->ops->describe(node, buffer, size);
		*ret_size = length + 1;
		return length < size ? 0 : -ERANGE;
	}
	if (node_is(node, S_IFDIR)) {
		error = path_of_directory(root, node, buffer, size, ret_size);
		return error == -ENOENT ? nameless(node, buffer, size, ret_size) : error;
	}
	if (place_of(node, &place) != 0)
		return nameless(node, buffer, size, ret_size);
	error = put_path_of(root, &place, buffer, size, ret_size);
	return error == -ENOENT && place.gone ? nameless(node, buffer, size, ret_size) : error;
}
