/*
 * Operations on paths: each walks the path (path_walk.c) up to its last name, and then does something with that name.
 */
#include "kernel/fs/path.h"

#include "kernel/fs/file.h"
#include "kernel/fs/notify.h"
#include "kernel/fs/path_walk.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

/* Walk to the place that the path leads to, and hold it. */
static int find(struct walk *walk, unsigned flags, struct place *ret)
{
	struct place place;
	int error;

	for (;;) {
		error = walk_to_end(walk);
		if (!error)
			error = walk_look(walk, &place);
		if (error)
			return error;
		if (!node_is(place.node, S_IFLNK) || (flags & PATH_NO_FOLLOW && !walk->slash)) {
			mount_get(place.mount);
			break;
		}
		error = walk_follow_last(walk, place.node, &place);
		if (error)
			return error;
		if (place.node)
			break;
	}
	if ((walk->slash || flags & PATH_DIRECTORY) && !node_is(place.node, S_IFDIR)) {
		place_put(place);
		return -ENOTDIR;
	}
	*ret = place;
	return 0;
}

int path_lookup_place(const struct path_base *base, const char *path, unsigned flags, struct place *ret)
{
	struct walk walk;
	struct place top;
	int error;

	if (!*path && flags & PATH_EMPTY) {
		*ret = place_get(base->start);
		return 0;
	}
	error = walk_start(&walk, base, path);
	if (error)
		return error;
	if (unlikely(flags >= PATH_RESTRICTED(1U)))
		error = walk_restrict(&walk, base, flags / PATH_RESTRICTED(1U));
	if (!error)
		error = find(&walk, flags, ret);
	walk_end(&walk);
	if (!error && flags & PATH_TOP) {
		top = *ret;
		place_to_top(&top);
		place_get(top);
		place_put(*ret);
		*ret = top;
	}
	return error;
}

int path_lookup(const struct path_base *base, const char *path, unsigned flags, struct node **ret)
{
	struct place place;
	int error = path_lookup_place(base, path, flags, &place);

	/* The node stays valid without its mount: the file system lives until the last of its nodes is put. */
	if (!error) {
		*ret = place.node;
		mount_put(place.mount);
	}
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
	place_put(end->dir);
	kfree(end->text);
}

/* Find the place to open and hold it, or make a file there and set *ret_made. */
static int find_or_make(struct walk *walk, unsigned flags, uint32_t mode, struct place *ret, bool *ret_made)
{
	for (;;) {
		struct place place;
		int error = walk_to_end(walk);

		if (!error)
			error = walk_look(walk, &place);
		if (error == -ENOENT && walk->rest && !*walk->rest && walk->name.size) {
			if (walk->slash)
				return -EISDIR;
			if (mount_is_read_only(walk->dir.mount))
				return -EROFS;
			*ret_made = true;
			ret->mount = walk->dir.mount;
			error = node_create(walk->dir.node, walk->name, walk->who, S_IFREG | (mode & MODE_PERMISSIONS),
					    0, &ret->node);
			if (!error)
				mount_get(ret->mount);
			return error;
		}
		if (error)
			return error;
		if (flags & O_EXCL) {
			node_put(place.node);
			return -EEXIST;
		}
		if (!node_is(place.node, S_IFLNK) || (flags & O_NOFOLLOW && !walk->slash)) {
			*ret = place;
			mount_get(ret->mount);
			return 0;
		}
		error = walk_follow_last(walk, place.node, ret);
		if (error || ret->node)
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

/* Return the error with which open(2) refuses to open what exists already, by its permissions and the mount; or 0. */
static int permit_open(const struct place *place, const struct credentials *who, unsigned flags)
{
	int error = node_permit_open(place->node, who, flags);

	if (!error && mount_is_read_only(place->mount) && node_is(place->node, S_IFREG) &&
	    ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC))
		error = -EROFS;
	return error;
}

int path_open_restricted(const struct path_base *base, const char *path, unsigned flags, uint32_t mode,
			 unsigned resolve, struct file **ret)
{
	struct walk walk;
	struct place place;
	struct file *file;
	bool made = false;
	int error;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	error = walk_start(&walk, base, path);
	if (error)
		return error;
	if (unlikely(resolve))
		error = walk_restrict(&walk, base, resolve);
	if (error)
		goto end;
	if (flags & O_CREAT)
		error = find_or_make(&walk, flags, mode, &place, &made);
	else
		error = find(&walk, flags & O_NOFOLLOW ? PATH_NO_FOLLOW : PATH_FOLLOW, &place);
	if (error)
		goto end;
	error = check_open(&walk, place.node, flags);
	/* A file that this call made is not checked: its maker may open it in any way, whatever its permissions. */
	if (!error && !made && !(flags & O_PATH))
		error = permit_open(&place, base->who, flags);
	if (!error)
		error = file_open(&place, flags, &file);
	/* As on Linux, watchers are told of O_TRUNC as a change even if the existing file was empty already. */
	if (!error && !made && flags & O_TRUNC && node_is(place.node, S_IFREG) && !place.node->size)
		notify_node(place.node, IN_MODIFY);
	/* Remove a file that was made by this call and could not be opened. */
	if (error && made)
		(void)node_unlink(walk.dir.node, walk.name, base->who);
	place_put(place);
	if (!error)
		*ret = file;
end:
	walk_end(&walk);
	return error;
}

int path_open_start(const struct path_base *base, unsigned flags, struct file **ret)
{
	const struct walk walk = { .slash = false };
	int error = check_open(&walk, base->start.node, flags);

	if (!error && !(flags & O_PATH))
		error = permit_open(&base->start, base->who, flags);
	return error ? error : file_open(&base->start, flags, ret);
}

int path_open(const struct path_base *base, const char *path, unsigned flags, uint32_t mode, struct file **ret)
{
	return path_open_restricted(base, path, flags, mode, 0, ret);
}

/*
 * Return the error for making a name at a path's end: -EROFS if the mount is read-only, but -EEXIST for a name that
 * exists.
 */
static int refuse_new(const struct path_base *base, const struct path_end *end)
{
	struct place place;
	int error;

	if (likely(!mount_is_read_only(end->dir.mount)))
		return 0;
	error = place_lookup(&base->root, &end->dir, end->name, &place);
	if (error)
		return error == -ENOENT ? -EROFS : error;
	node_put(place.node);
	return -EEXIST;
}

/* Return -EROFS if the mount of a path's end is read-only, otherwise 0. */
static int refuse_change(const struct path_end *end)
{
	return mount_is_read_only(end->dir.mount) ? -EROFS : 0;
}

int path_end_create(const struct path_base *base, const struct path_end *end, uint32_t mode, uint64_t device,
		    struct node **ret)
{
	int error = refuse_new(base, end);

	return error ? error : node_create(end->dir.node, end->name, base->who, mode, device, ret);
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
		error = path_end_create(base, &end, mode, device, NULL);
	path_end_put(&end);
	return error;
}

int path_symlink(const struct path_base *base, const char *path, const char *target)
{
	const struct name text = { target, strlen(target) };
	struct path_end end;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	error = end.slash ? -ENOENT : refuse_new(base, &end);
	if (!error)
		error = node_symlink(end.dir.node, end.name, base->who, text, NULL);
	path_end_put(&end);
	return error;
}

int path_link(const struct path_base *old_base, const char *old_path, const struct path_base *new_base,
	      const char *new_path, unsigned flags)
{
	struct place old;
	struct path_end end;
	int error = path_lookup_place(old_base, old_path, flags, &old);

	if (error)
		return error;
	error = path_lookup_end(new_base, new_path, &end);
	if (!error) {
		error = end.slash ? -ENOENT : refuse_new(new_base, &end);
		/*
		 * A file whose file system is mounted nowhere has no mount to compare: node_link() compares the file
		 * systems.
		 */
		if (!error && old.mount && old.mount != end.dir.mount)
			error = -EXDEV;
		if (!error)
			error = node_link(end.dir.node, end.name, new_base->who, old.node);
		path_end_put(&end);
	}
	place_put(old);
	return error;
}

int path_unlink(const struct path_base *base, const char *path)
{
	struct path_end end;
	struct place place;
	int error = path_lookup_end(base, path, &end);

	if (error)
		return error;
	if (end.slash) {
		error = place_lookup(&base->root, &end.dir, end.name, &place);
		if (!error) {
			error = node_is(place.node, S_IFDIR) ? -EISDIR : -ENOTDIR;
			node_put(place.node);
		}
	} else {
		error = refuse_change(&end);
		if (!error)
			error = node_unlink(end.dir.node, end.name, base->who);
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
	error = refuse_change(&end);
	if (!error)
		error = node_rmdir(end.dir.node, end.name, base->who);
	path_end_put(&end);
	return error;
}

/* Check, when either name has a slash behind it, that a directory is renamed: "name/" can only mean a directory. */
static int check_slashes(const struct path_base *base, const struct path_end *from, const struct path_end *to)
{
	struct place place;
	int error;

	if (!from->slash && !to->slash)
		return 0;
	error = place_lookup(&base->root, &from->dir, from->name, &place);
	if (error)
		return error;
	error = node_is(place.node, S_IFDIR) ? 0 : -ENOTDIR;
	node_put(place.node);
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
		error = from.dir.mount != to.dir.mount ? -EXDEV : refuse_change(&to);
		if (!error)
			error = check_slashes(old_base, &from, &to);
		if (!error)
			error = node_rename(from.dir.node, from.name, old_base->who, to.dir.node, to.name, flags);
		path_end_put(&to);
	}
	path_end_put(&from);
	return error;
}
