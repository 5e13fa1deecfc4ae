/*
 * Walks along a path, name by name. When a symbolic link is followed, its target and the rest of the path are copied to
 * a heap block, and the walk goes on in that.
 */
#include "kernel/fs/path_walk.h"

#include "kernel/fs/node_internal.h"
#include "kernel/fs/permission.h"
#include "kernel/fs/place.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define SHORT_NAME 8

int walk_start(struct walk *walk, const struct path_base *base, const char *path)
{
	if (!*path)
		return -ENOENT;
	if (strnlen(path, PATH_MAX) == PATH_MAX)
		return -ENAMETOOLONG;
	*walk = (struct walk){ .root = base->root, .pause = base->pause, .who = base->who, .rest = path };
	walk->dir = place_get(*path == '/' ? base->root : base->start);
	return 0;
}

int walk_restrict(struct walk *walk, const struct path_base *base, unsigned resolve)
{
	walk->resolve = resolve;
	if (!(resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)))
		return 0;
	if (resolve & RESOLVE_BENEATH && *walk->rest == '/')
		return -EXDEV;
	walk->root = base->start;
	walk->moves = node_moves;
	place_put(walk->dir);
	walk->dir = place_get(base->start);
	return 0;
}

void walk_end(struct walk *walk)
{
	place_put(walk->dir);
	kfree(walk->text);
}

/*
 * Make `dir` the directory that the walk has reached. The walk takes over the reference to dir.node; to dir.mount it
 * takes a reference of its own.
 */
static inline void go_to(struct walk *walk, struct place dir)
{
	node_put(walk->dir.node);
	walk->dir.node = dir.node;
	if (unlikely(dir.mount != walk->dir.mount)) {
		mount_get(dir.mount);
		mount_put(walk->dir.mount);
		walk->dir.mount = dir.mount;
	}
}

/* Go on with a new path: the link's target followed by the rest of the old path. */
static int splice(struct walk *walk, struct name target)
{
	size_t rest = strlen(walk->rest);
	char *text;

	if (target.size + rest + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	if (unlikely(walk->resolve) && *target.text == '/' &&
	    (walk->resolve & RESOLVE_BENEATH ||
	     (walk->resolve & RESOLVE_NO_XDEV && walk->dir.mount != walk->root.mount)))
		return -EXDEV;
	text = kmalloc(target.size + rest + 2);
	if (!text)
		return -ENOMEM;
	memcpy(text, target.text, target.size);
	/* Keep the slash of "link/" even if nothing follows it: the target must then be a directory. */
	text[target.size] = '/';
	memcpy(text + target.size + (walk->slash ? 1 : 0), walk->rest, rest + 1);
	kfree(walk->text);
	walk->text = text;
	walk->rest = text;
	if (*text == '/') {
		node_get(walk->root.node);
		go_to(walk, walk->root);
	}
	return 0;
}

/* Return the error with which walk->resolve refuses to follow `link`, or 0. */
static int refuse_link(const struct walk *walk, const struct node *link)
{
	if (walk->resolve & RESOLVE_NO_SYMLINKS || (link->ops->follow && walk->resolve & RESOLVE_NO_MAGICLINKS))
		return -ELOOP;
	return link->ops->follow && walk->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) ? -EXDEV : 0;
}

/* Follow a link that leads to a place without a path. Returns as node_ops.follow; also -EXDEV. */
static int follow_to_place(const struct walk *walk, struct node *link, struct place *ret)
{
	struct place place;
	int error = link->ops->follow(link, &place);

	if (error)
		return error;
	if (walk->resolve & RESOLVE_NO_XDEV && place.mount != walk->dir.mount) {
		place_put(place);
		return -EXDEV;
	}
	*ret = place;
	return 0;
}

int walk_follow(struct walk *walk, struct node *link, struct place *ret)
{
	struct link_target target;
	int error = ++walk->links > LOOP_MAX ? -ELOOP : 0;

	ret->node = NULL;
	if (!error && unlikely(walk->resolve))
		error = refuse_link(walk, link);
	if (!error && link->ops->follow) {
		error = follow_to_place(walk, link, ret);
	} else if (!error) {
		error = node_readlink(link, &target);
		if (!error) {
			error = target.name.size ? splice(walk, target.name) : -ENOENT;
			link_target_put(&target);
		}
	}
	node_put(link);
	/* Other tasks may change any name now; the walk has a reference to the directory that it has reached. */
	if (!error && !ret->node && walk->pause && walk->pause())
		error = -EINTR;
	return error;
}

int walk_follow_last(struct walk *walk, struct node *link, struct place *ret)
{
	int error = node_permit_follow(walk->dir.node, walk->who, link);

	if (!error)
		return walk_follow(walk, link, ret);
	node_put(link);
	return error;
}

/* Take the next name, and the slashes behind it, off the front of walk->rest. */
static void next_name(struct walk *walk)
{
	const char *end;

	while (*walk->rest == '/')
		walk->rest++;
	/*
	 * Most names are so short that strcspn(), which compares eight bytes at a time, would cost more than this loop.
	 */
	end = walk->rest;
	while (*end && *end != '/' && end < walk->rest + SHORT_NAME)
		end++;
	if (end == walk->rest + SHORT_NAME)
		end += strcspn(end, "/");
	walk->name = (struct name){ walk->rest, (size_t)(end - walk->rest) };
	walk->slash = *end == '/';
	while (*end == '/')
		end++;
	walk->rest = end;
	if (!walk->name.size)
		walk->name = (struct name){ ".", 1 };
}

/* Do walk_look() for a walk with restrictions (walk->resolve), or for a name of two bytes, which may be "..". */
static __attribute__((noinline)) int look_with_care(const struct walk *walk, struct place *ret)
{
	const bool is_up = node_is_dot_dot(walk->name);
	int error;

	/*
	 * Let other tasks run: a path of 4 KiB has room for 1,365 times "..", and each may take time for every
	 * directory above.
	 */
	if (is_up && place_is_of_part(&walk->dir) && walk->pause && walk->pause())
		return -EINTR;
	if (is_up && walk->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
		if (walk->resolve & RESOLVE_BENEATH && place_is(&walk->dir, &walk->root))
			return -EXDEV;
		/*
		 * While the walk paused, its directory may have been moved out of `root`: then ".." would not stop at
		 * `root`.
		 */
		if (walk->moves != node_moves)
			return -EAGAIN;
	}
	error = place_lookup(&walk->root, &walk->dir, walk->name, ret);
	if (error || !(walk->resolve & RESOLVE_NO_XDEV) || ret->mount == walk->dir.mount)
		return error;
	node_put(ret->node);
	return -EXDEV;
}

int walk_look(struct walk *walk, struct place *ret)
{
	if (unlikely(walk->resolve || walk->name.size == 2))
		return look_with_care(walk, ret);
	return place_lookup(&walk->root, &walk->dir, walk->name, ret);
}

int walk_to_end(struct walk *walk)
{
	for (;;) {
		struct mount *held = NULL;
		struct place place;
		int error;

		next_name(walk);
		if (!node_is(walk->dir.node, S_IFDIR))
			return -ENOTDIR;
		error = node_permit(walk->dir.node, walk->who, ACCESS_EXECUTE);
		if (error || !*walk->rest)
			return error;
		error = walk_look(walk, &place);
		if (!error && node_is(place.node, S_IFLNK)) {
			error = walk_follow(walk, place.node, &place);
			if (!error && !place.node)
				continue;
			held = error ? NULL : place.mount;
		}
		if (error)
			return error;
		go_to(walk, place);
		mount_put(held);
	}
}
