/*
 * The tree of mounts, and the list of the kinds of file systems; see mount.h.
 */
#include "kernel/fs/mount.h"

#include "kernel/fs/path.h"
#include "kernel/fs/text.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/lib/tree_change.h"
#include "kernel/mm/heap/heap.h"

/* List of the kinds of file systems. Fixed after boot. */
static struct mount_type *types;
/* Tree of all mounts, in the order of mounting. Guard: tasks only, which the kernel does not preempt. */
static struct tree_node *mounts;
static uint64_t last_number; /* of the newest mount; guard: tasks only, which the kernel does not preempt */

/* Most mounts that one step detaches, or looks at for a list: paths may be long. */
#define STEP_MOUNTS 64

static struct mount_type *find_type(const char *name)
{
	struct mount_type *type = types;

	while (type && strcmp(type->name, name) != 0)
		type = type->next;
	return type;
}

void mount_type_add(struct mount_type *type)
{
	struct mount_type **end = &types;

	ASSERT(!find_type(type->name));
	while (*end)
		end = &(*end)->next;
	*end = type;
	type->next = NULL;
}

void mount_list_types(struct text *text)
{
	for (const struct mount_type *type = types; type; type = type->next)
		text_add(text, "nodev\t%s\n", type->name);
}

/* Return the mount whose root is `root`, or NULL. */
static struct mount *find_mount(const struct node *root)
{
	struct mount *mount = root->fs->mount;

	return mount && mount->root == root ? mount : NULL;
}

/* Return the attributes in mount(2)'s flags; relatime is the default, as on Linux. */
static unsigned attributes(unsigned flags)
{
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	return flags & MS_ATTRIBUTES;
}

static struct mount *make_mount(const struct mount_type *type, const char *source)
{
	struct mount *mount = kmalloc(sizeof(*mount));
	size_t size = strlen(source) + 1;

	if (!mount)
		return NULL;
	*mount = (struct mount){ .type = type, .source = kmalloc(size) };
	if (!mount->source) {
		kfree(mount);
		return NULL;
	}
	memcpy(mount->source, source, size);
	return mount;
}

static void free_mount(struct mount *mount)
{
	kfree(mount->source);
	kfree(mount);
}

/* Add a mount to the lists. `below`: the file system that it is mounted in; NULL: the mount is the tree's root. */
static void enter(struct mount *mount, const struct fs *below)
{
	mount->root->fs->mount = mount;
	mount->number = ++last_number;
	tree_add(&mounts, tree_outermost(mounts, TREE_HIGH), TREE_HIGH, &mount->in_order, NULL);
	list_init(&mount->inside);
	list_init(&mount->beside);
	if (below)
		list_add_last(&below->mount->inside, &mount->beside);
}

static void take_out(struct mount *mount)
{
	ASSERT(list_is_empty(&mount->inside));
	tree_remove(&mounts, &mount->in_order, NULL);
	list_remove(&mount->beside);
	mount->root->fs->mount = NULL;
}

int mount_set_root(const char *type, struct node *root)
{
	struct mount *mount;

	ASSERT(!mounts && find_type(type));
	mount = make_mount(find_type(type), type);
	if (!mount)
		return -ENOMEM;
	mount->root = node_get(root);
	root->fs->flags = attributes(0);
	enter(mount, NULL);
	return 0;
}

/*
 * Return the error for mounting something on `at`; 0: it is allowed. No path leads into a detached file system: a
 * mount there could never be undone, and would keep the file system for ever.
 */
static int refuse_place(const struct node *at)
{
	if (!node_is(at, S_IFDIR))
		return -ENOTDIR;
	if (at->fs->detached)
		return -EINVAL;
	return at->links ? 0 : -ENOENT;
}

int mount_add(const char *type_name, const char *source, struct node *at, unsigned flags, const char *options)
{
	const struct mount_type *type = find_type(type_name);
	const struct mount *below = find_mount(at);
	struct mount *mount;
	int error;

	if (!type)
		return -ENODEV;
	error = refuse_place(at);
	if (error)
		return error;
	if (below && below->type == type && type->single)
		return -EBUSY;
	mount = make_mount(type, source);
	if (!mount)
		return -ENOMEM;
	error = type->create(options, &mount->root);
	if (error) {
		free_mount(mount);
		return error;
	}
	error = node_mount(at, mount->root);
	if (error) {
		type->destroy(mount->root);
		free_mount(mount);
		return error;
	}
	mount->root->fs->flags = attributes(flags);
	enter(mount, at->fs);
	return 0;
}

int mount_change(struct node *root, unsigned flags, const char *options)
{
	struct mount *mount = find_mount(root);
	int error;

	if (!mount)
		return -EINVAL;
	if (flags & MS_RDONLY && root->fs->writers)
		return -EBUSY;
	error = mount->type->change ? mount->type->change(root, options) : 0;
	if (!error)
		root->fs->flags = attributes(flags);
	return error;
}

/* Return whether `dir` is `root` or below it, mounts included. */
static bool is_below(const struct node *dir, const struct node *root)
{
	while (dir && dir != root)
		dir = dir->covers ? dir->covers : dir->parent;
	return dir != NULL;
}

int mount_move(struct node *root, struct node *at)
{
	struct node *from = root->covers;
	int error;

	if (!find_mount(root) || !from)
		return -EINVAL;
	if (is_below(at, root))
		return -ELOOP;
	error = refuse_place(at);
	if (error)
		return error;
	if (at->mounted)
		return -EBUSY;
	/* Working directories and open files in the moved file system are references to nodes, and stay valid. */
	from->mounted = NULL;
	root->covers = NULL;
	error = node_mount(at, root);
	ASSERT(!error);
	list_remove(&root->fs->mount->beside);
	list_add_last(&at->fs->mount->inside, &root->fs->mount->beside);
	node_put(root);
	node_put(from);
	return 0;
}

int mount_remove(struct node *root)
{
	struct mount *mount = find_mount(root);
	int error;

	/* Drop the caller's reference: node_unmount() allows only those of mount->root and of the mount point. */
	node_put(root);
	if (!mount)
		return -EINVAL;
	if (!root->covers)
		return -EBUSY;
	error = node_unmount(root);
	if (error)
		return error;
	take_out(mount);
	mount->type->destroy(root);
	free_mount(mount);
	return 0;
}

/*
 * Take a mount out of the tree and out of the list. node_put() frees the file system when the last reference to one
 * of its nodes is dropped.
 */
static void detach(struct mount *mount)
{
	struct node *root = mount->root, *at = root->covers;

	at->mounted = NULL;
	root->covers = NULL;
	take_out(mount);
	root->fs->destroy = mount->type->destroy;
	root->fs->detached = root;
	free_mount(mount);
	node_put(at);
	/*
	 * Drop the reference to the root that at->mounted held. The one that mount->root held is now held by
	 * fs->detached.
	 */
	node_put(root);
}

int mount_detach_some(struct node *root)
{
	struct mount *top = find_mount(root), *mount = top;

	if (!top || !root->covers)
		return top ? -EBUSY : -EINVAL;
	/* Each round detaches one mount that has no mounts inside, so `top` itself is the last. */
	for (int i = 0; i < STEP_MOUNTS; i++) {
		struct mount *below;
		bool is_top;

		while (!list_is_empty(&mount->inside))
			mount = list_item(mount->inside.next, struct mount, beside);
		below = mount->root->covers->fs->mount;
		is_top = mount == top;
		detach(mount);
		if (is_top)
			return 0;
		mount = below;
	}
	return 1;
}

int mount_detach(struct node *root)
{
	int more;

	do
		more = mount_detach_some(root);
	while (more > 0);
	node_put(root);
	return more;
}

/* Add a word with blanks and backslashes written as in /proc/mounts (getmntent(3)). */
static void add_escaped(struct text *text, const char *word)
{
	for (; *word; word++) {
		if (strchr(" \t\n\\", *word))
			text_add(text, "\\%03o", (unsigned char)*word);
		else
			text_add_bytes(text, word, 1);
	}
}

static void add_options(struct text *text, const struct mount *mount)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ MS_SYNCHRONOUS, "sync" },  { MS_NOSUID, "nosuid" },   { MS_NODEV, "nodev" },
		{ MS_NOEXEC, "noexec" },     { MS_NOATIME, "noatime" }, { MS_NODIRATIME, "nodiratime" },
		{ MS_RELATIME, "relatime" },
	};

	text_add(text, mount->root->fs->flags & MS_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mount->root->fs->flags & names[i].flag)
			text_add(text, ",%s", names[i].name);
	if (mount->root->fs->pages_max && mount->root->fs->pages_max != tmpfs_default_limit())
		text_add(text, ",size=%lluk", (unsigned long long)(mount->root->fs->pages_max * (PAGE_SIZE / 1024)));
	if (mount->root->fs->nodes_max && mount->root->fs->nodes_max != tmpfs_default_limit())
		text_add(text, ",nr_inodes=%llu", (unsigned long long)mount->root->fs->nodes_max);
}

static struct mount *mount_in_order(struct tree_node *node)
{
	return node ? tree_item(node, struct mount, in_order) : NULL;
}

/* Return the first mount whose number is at least `number`, or NULL. */
static struct mount *mount_from(uint64_t number)
{
	struct mount *at = mount_in_order(mounts), *found = NULL;

	while (at) {
		bool before = at->number < number;

		if (!before)
			found = at;
		at = mount_in_order(at->in_order.child[before ? TREE_HIGH : TREE_LOW]);
	}
	return found;
}

static void add_line(struct text *text, const struct mount *mount, const char *path)
{
	add_escaped(text, mount->source);
	text_add(text, " ");
	add_escaped(text, path);
	text_add(text, " %s ", mount->type->name);
	add_options(text, mount);
	text_add(text, " 0 0\n");
}

bool mount_list_some(struct node *root, uint64_t *place, size_t enough, struct text *text)
{
	struct mount *mount = mount_from(*place);
	char *path = kmalloc(PATH_MAX);
	size_t size;

	if (!path) {
		text->lost = true;
		return false;
	}
	for (int i = 0; i < STEP_MOUNTS && mount && text->size < enough; i++) {
		/* A mount that is not below the caller's root has no path there, and is left out. */
		if (path_of_directory(root, mount->root, path, PATH_MAX, &size) == 0)
			add_line(text, mount, path);
		*place = mount->number + 1;
		mount = mount_in_order(tree_beside(&mount->in_order, TREE_HIGH));
	}
	kfree(path);
	return mount != NULL;
}
