/*
 * Keeps the tree of mounts, and ends a mount with its last reference; see mount.h.
 */
#include "kernel/fs/mount.h"

#include "kernel/fs/mount_internal.h"
#include "kernel/fs/open_objects.h"
#include "kernel/fs/place.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"

/* Tree of all mounts, in the order of their numbers. Guard: tasks only, which the kernel does not preempt. */
static struct tree_node *mounts;
/* Number of the newest mount. Guard: tasks only, which the kernel does not preempt. */
static uint64_t last_number = MOUNT_NUMBER_NONE;
/* How many mounts there are. Guard: tasks only, which the kernel does not preempt. */
static uint64_t count;

/* ---- one mount ---- */

int mount_make(const struct mount_type *type, const char *source, unsigned flags, struct mount **ret)
{
	size_t size = strlen(source) + 1;
	struct mount *mount;

	if (count >= MOUNTS_MOST)
		return -ENOSPC;
	mount = kmalloc(sizeof(*mount));
	if (!mount)
		return -ENOMEM;
	*mount = (struct mount){ .type = type, .source = kmalloc(size), .flags = flags & MS_OF_MOUNT, .refs = 1 };
	if (!mount->source) {
		kfree(mount);
		return -ENOMEM;
	}
	memcpy(mount->source, source, size);
	list_init(&mount->same_fs);
	count++;
	*ret = mount;
	return 0;
}

void mount_free(struct mount *mount)
{
	count--;
	kfree(mount->source);
	kfree(mount);
}

void mount_enlist(struct mount *mount, struct node *root)
{
	struct fs *fs = root->fs;

	mount->root = root;
	if (fs->mount)
		list_add_last(&fs->mount->same_fs, &mount->same_fs);
	else
		fs->mount = mount;
	mount->number = ++last_number;
	mount->listed = true;
	tree_add(&mounts, tree_outermost(mounts, TREE_HIGH), TREE_HIGH, &mount->in_order, NULL);
}

void mount_end(struct mount *mount)
{
	struct node *root = mount->root;
	struct fs *fs = root->fs;

	ASSERT(!mount->refs && !mount->listed && !mount->parent && !mount->inside);
	open_gate_close(&node_names);
	if (fs->mount == mount)
		fs->mount =
			list_is_empty(&mount->same_fs) ? NULL : list_item(mount->same_fs.next, struct mount, same_fs);
	list_remove(&mount->same_fs);
	if (!fs->mount) {
		/* node_put() frees the file system when the last reference to one of its nodes is dropped. */
		fs->destroy = mount->type->destroy;
		fs->detached = fs->root;
		fs->root = NULL;
	}
	open_gate_open(&node_names);
	mount_free(mount);
	node_put(root);
}

/* ---- the tree ---- */

void mount_attach(struct mount *mount, const struct place *at)
{
	struct mount *above = mount_beside(at->mount->inside), *parent = NULL;
	enum tree_side side = TREE_LOW;

	while (above) {
		ASSERT(above->at != at->node);
		parent = above;
		side = (uintptr_t)at->node < (uintptr_t)above->at ? TREE_LOW : TREE_HIGH;
		above = mount_beside(above->beside.child[side]);
	}
	open_gate_close(&node_names);
	tree_add(&at->mount->inside, parent ? &parent->beside : NULL, side, &mount->beside, NULL);
	mount->parent = mount_get(at->mount);
	mount->at = node_get(at->node);
	at->node->mounts++;
	open_gate_open(&node_names);
	node_moves++;
}

void mount_unhook(struct mount *mount)
{
	struct mount *parent = mount->parent;
	struct node *at = mount->at;

	open_gate_close(&node_names);
	tree_remove(&parent->inside, &mount->beside, NULL);
	mount->parent = NULL;
	mount->at = NULL;
	at->mounts--;
	open_gate_open(&node_names);
	node_put(at);
	mount_put(parent);
}

struct mount *mount_on(const struct place *place)
{
	struct mount *mount = place->mount ? mount_beside(place->mount->inside) : NULL;

	while (mount && mount->at != place->node)
		mount = mount_beside(
			mount->beside.child[(uintptr_t)place->node < (uintptr_t)mount->at ? TREE_LOW : TREE_HIGH]);
	return mount;
}

/* Take a mount that nothing lies on out of the tree and out of the list of all. */
static void shut(struct mount *mount)
{
	tree_remove(&mounts, &mount->in_order, NULL);
	open_gate_close(&node_names);
	mount->listed = false;
	if (mount->parent)
		mount_unhook(mount);
	open_gate_open(&node_names);
	mount_put(mount);
}

/* Return 0 if the mount whose root is `place` can be unmounted, or the error. */
static int refuse_removal(const struct place *place)
{
	if (!mount_is_root(place))
		return -EINVAL;
	return place->mount->parent ? 0 : -EBUSY;
}

int mount_remove(struct place place)
{
	struct mount *mount = place.mount;
	const struct fs *fs = place.node->fs;
	int error = refuse_removal(&place);

	/*
	 * No open section (kernel/sync/open_section.h) must open a file of the mount between the check and the removal.
	 */
	open_gate_close(&node_names);
	/*
	 * A mapping and an inotify watch have a reference to their node and none to a mount: so they keep a file system
	 * busy, that is, its last mount. The references of fs->root, mount->root and the caller are always there.
	 */
	if (!error && (mount->refs > 2 || (list_is_empty(&mount->same_fs) && fs->refs > fs->own + 3)))
		error = -EBUSY;
	if (!error)
		shut(mount);
	open_gate_open(&node_names);
	place_put(place);
	return error;
}

bool mount_shut_some(struct mount *top)
{
	struct mount *mount = top;

	/* Each round detaches one mount that has no mounts inside, so `top` itself is the last. */
	for (int i = 0; i < MOUNT_STEP; i++) {
		struct mount *below;

		while (mount->inside)
			mount = mount_beside(mount->inside);
		below = mount->parent;
		shut(mount);
		if (mount == top)
			return false;
		mount = below;
	}
	return true;
}

int mount_detach_some(const struct place *place)
{
	int error = refuse_removal(place);

	return error ? error : mount_shut_some(place->mount);
}

int mount_detach(struct place place)
{
	int more;

	do
		more = mount_detach_some(&place);
	while (more > 0);
	place_put(place);
	return more;
}

/* ---- in order ---- */

static struct mount *in_order(struct tree_node *node)
{
	return node ? tree_item(node, struct mount, in_order) : NULL;
}

struct mount *mount_from(uint64_t number)
{
	struct mount *at = in_order(mounts), *found = NULL;

	while (at) {
		bool before = at->number < number;

		if (!before)
			found = at;
		at = in_order(at->in_order.child[before ? TREE_HIGH : TREE_LOW]);
	}
	return found;
}

struct mount *mount_next(const struct mount *mount)
{
	return in_order(tree_beside(&mount->in_order, TREE_HIGH));
}

struct mount *mount_find_device(uint64_t device, uint64_t *number)
{
	struct mount *mount = mount_from(*number);

	for (int i = 0; i < MOUNT_STEP && mount; i++) {
		if (mount->root->fs->device == device)
			return mount;
		mount = mount_next(mount);
	}
	*number = mount ? mount->number : 0;
	return NULL;
}
