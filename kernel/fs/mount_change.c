/*
 * Makes mounts and bind mounts, moves mounts, changes their flags, and does pivot_root(2); see mount_change.h.
 */
#include "kernel/fs/mount_change.h"

#include "kernel/fs/mount_internal.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/path.h"
#include "kernel/fs/place.h"
#include "kernel/lib/panic.h"

struct turn mount_turn; /* a mutex, see mount_change.h; guard: itself */

/* Return the flags of a mount, with relatime as the default, as on Linux. */
static unsigned flags_with_default(unsigned flags)
{
	return flags & (MS_NOATIME | MS_STRICTATIME) ? flags : flags | MS_RELATIME;
}

/* Return the flags of a mount that is changed: as on Linux it keeps those of access times if `flags` has none. */
static unsigned flags_changed(const struct mount *mount, unsigned flags)
{
	const unsigned kept = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;

	if (!(flags & (kept | MS_STRICTATIME)))
		return (flags & MS_OF_MOUNT) | (mount->flags & kept);
	return flags_with_default(flags) & MS_OF_MOUNT;
}

/*
 * Return the error for mounting a directory (or, with is_directory false, another file) on `at`; 0: it is allowed. `at`
 * in a mount that was unmounted is refused: no path leads there, so the new mount could never be unmounted, and would
 * keep the old one for ever.
 */
static int refuse_place(const struct place *at, bool is_directory)
{
	if (node_is(at->node, S_IFDIR) != is_directory)
		return -ENOTDIR;
	if (!at->mount || !at->mount->listed)
		return -EINVAL;
	return at->node->links ? 0 : -ENOENT;
}

int mount_set_root(const char *type, struct node *root, struct place *ret)
{
	struct mount *mount;
	int error;

	ASSERT(!mount_from(0) && mount_find_type(type));
	error = mount_make(mount_find_type(type), type, MS_RELATIME, &mount);
	if (error)
		return error;
	root->fs->root = node_get(root);
	mount_enlist(mount, node_get(root));
	*ret = place_get((struct place){ mount, root });
	return 0;
}

int mount_add(const char *type_name, const char *source, const struct place *where, unsigned flags, const char *options)
{
	const struct mount_type *type = mount_find_type(type_name);
	struct place at = *where;
	struct mount *mount;
	struct node *root;
	int error;

	if (!type)
		return -ENODEV;
	place_to_top(&at);
	error = refuse_place(&at, true);
	if (error)
		return error;
	if (type->single && at.mount->type == type && at.node == at.node->fs->root)
		return -EBUSY;
	error = mount_make(type, source, flags_with_default(flags), &mount);
	if (error)
		return error;
	error = type->create(options, &root);
	if (error) {
		mount_free(mount);
		return error;
	}
	if (root->fs->mount) {
		mount_enlist(mount, root);
	} else {
		root->fs->flags = flags & MS_OF_FS;
		root->fs->root = root;
		mount_enlist(mount, node_get(root));
	}
	mount_attach(mount, &at);
	return 0;
}

int mount_change(const struct place *root, unsigned flags, const char *options)
{
	struct fs *fs = root->node->fs;
	int error;

	if (!mount_is_root(root))
		return -EINVAL;
	if (flags & MS_RDONLY && fs->writers)
		return -EBUSY;
	error = root->mount->type->change ? root->mount->type->change(fs->root, options) : 0;
	if (error)
		return error;
	fs->flags = flags & MS_OF_FS;
	root->mount->flags = flags_changed(root->mount, flags);
	return 0;
}

int mount_change_flags(const struct place *root, unsigned flags)
{
	if (!mount_is_root(root))
		return -EINVAL;
	if (flags & MS_RDONLY && root->mount->writers)
		return -EBUSY;
	root->mount->flags = flags_changed(root->mount, flags);
	return 0;
}

/* Return whether `mount` is `inside`, or `inside` lies in it, at any depth. */
static bool contains(const struct mount *mount, const struct mount *inside)
{
	while (inside && inside != mount)
		inside = inside->parent;
	return inside != NULL;
}

int mount_move(const struct place *root, const struct place *where)
{
	struct place at = *where;
	int error;

	if (!mount_is_root(root) || !root->mount->parent)
		return -EINVAL;
	place_to_top(&at);
	if (contains(root->mount, at.mount))
		return -ELOOP;
	error = refuse_place(&at, node_is(root->node, S_IFDIR));
	if (error)
		return error;
	/*
	 * Working directories and open files in the moved mount are references to it, and stay valid. The gate keeps
	 * open sections (kernel/sync/open_section.h) from seeing the mount while it is attached nowhere.
	 */
	open_gate_close(&node_names);
	mount_unhook(root->mount);
	mount_attach(root->mount, &at);
	open_gate_open(&node_names);
	return 0;
}

/* ---- bind mounts ---- */

/*
 * Make a mount of `root` with the type, source and flags of `from`; it is attached nowhere yet. Returns as mount_make.
 */
static int copy_mount(const struct mount *from, struct node *root, struct mount **ret)
{
	int error = mount_make(from->type, from->source, from->flags, ret);

	if (!error)
		mount_enlist(*ret, node_get(root));
	return error;
}

int mount_bind_start(struct mount_bind *bind, const struct place *from)
{
	struct mount *top;
	int error;

	if (!from->mount || !from->mount->listed || from->mount->unbindable)
		return -EINVAL;
	error = copy_mount(from->mount, from->node, &top);
	if (error)
		return error;
	*bind = (struct mount_bind){ .from = from->mount, .top = mount_get(top), .source = from->mount, .copy = top };
	return 0;
}

/* Return whether `mount`, which lies on bind->source, lies inside of what is bound, and may be copied. */
static bool is_copied(const struct mount_bind *bind, const struct mount *mount)
{
	return !mount->unbindable && (bind->source != bind->from || place_is_inside(mount->at, bind->top->root));
}

int mount_bind_some(struct mount_bind *bind)
{
	for (int i = 0; i < MOUNT_STEP; i++) {
		struct mount *next = bind->last ? mount_beside(tree_beside(&bind->last->beside, TREE_HIGH))
						: mount_beside(tree_outermost(bind->source->inside, TREE_LOW));
		struct mount *copy;
		int error;

		if (!next && bind->source == bind->from)
			return 0;
		if (!next) {
			bind->last = bind->source;
			bind->source = bind->source->parent;
			bind->copy = bind->copy->parent;
			continue;
		}
		bind->last = next;
		if (!is_copied(bind, next))
			continue;
		error = copy_mount(next, next->root, &copy);
		if (error)
			return error;
		mount_attach(copy, &(struct place){ bind->copy, next->at });
		*bind = (struct mount_bind){ bind->from, bind->top, next, copy, NULL };
	}
	return 1;
}

int mount_bind_end(struct mount_bind *bind, const struct place *where)
{
	struct place at = *where;
	int error;

	place_to_top(&at);
	error = refuse_place(&at, node_is(bind->top->root, S_IFDIR));
	if (error)
		return error;
	mount_attach(bind->top, &at);
	mount_put(bind->top);
	return 0;
}

bool mount_bind_undo_some(struct mount_bind *bind)
{
	if (mount_shut_some(bind->top))
		return true;
	mount_put(bind->top);
	return false;
}

struct mount *mount_after(const struct mount *top, const struct mount *mount)
{
	if (mount->inside)
		return mount_beside(tree_outermost(mount->inside, TREE_LOW));
	for (; mount != top; mount = mount->parent) {
		struct tree_node *next = tree_beside(&mount->beside, TREE_HIGH);

		if (next)
			return mount_beside(next);
	}
	return NULL;
}

/* ---- pivot_root ---- */

/* Return whether `place` is `top`, or lies below it, mounts included. */
static bool is_reachable(struct place place, const struct place *top)
{
	while (place.mount != top->mount && place.mount->parent)
		place = (struct place){ place.mount->parent, place.mount->at };
	return place.mount == top->mount && place_is_inside(place.node, top->node);
}

/* Return the error with which pivot_root(2) refuses the places; 0: they are allowed. */
static int refuse_pivot(const struct place *root, const struct place *new, const struct place *old)
{
	int error = refuse_place(old, true);

	if (error)
		return error;
	if (!root->mount || !root->mount->listed || !new->mount || !new->mount->listed)
		return -EINVAL;
	if (!new->node->links)
		return -ENOENT;
	if (new->mount == root->mount || old->mount == root->mount)
		return -EBUSY;
	if (!mount_is_root(root) || !root->mount->parent || !mount_is_root(new) || !new->mount->parent)
		return -EINVAL;
	return is_reachable(*old, new) && is_reachable(*new, root) ? 0 : -EINVAL;
}

int mount_pivot(const struct place *root, const struct place *new, const struct place *where)
{
	struct place old = *where, below;
	int error;

	place_to_top(&old);
	error = refuse_pivot(root, new, &old);
	if (error)
		return error;
	below = place_get((struct place){ root->mount->parent, root->mount->at });
	open_gate_close(&node_names);
	mount_unhook(new->mount);
	mount_unhook(root->mount);
	mount_attach(root->mount, &old);
	mount_attach(new->mount, &below);
	open_gate_open(&node_names);
	place_put(below);
	return 0;
}
