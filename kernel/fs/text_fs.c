/*
 * File systems with generated files: a tree of nodes, made from a list of paths. The tree does not change while it is
 * mounted, so positions in directory listings are indices of children.
 */
#include "kernel/fs/text_fs.h"

#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define DIRECTORY_MODE (S_IFDIR | 0555)
#define FIRST_POSITION 2 /* the first entry's position, after "." and ".." */

/* A node of a file system with generated files. Guard: tasks only, which the kernel does not preempt. */
struct text_node {
	struct node node;               /* must be the first member: node_ops get a pointer to it */
	const struct text_entry *entry; /* NULL: a directory that was made because it is on an entry's path */
	struct name name;               /* points into the path of this entry, or of one below this directory */
	struct text_node *children;     /* list of the nodes in this directory, linked by `sibling` */
	struct text_node *sibling;
	struct text_node *made_before; /* next in the list of all nodes of the file system */
};

/* A mounted file system with generated files. Guard: tasks only, which the kernel does not preempt. */
struct text_fs {
	struct fs fs; /* must be the first member: node->fs points at it */
	const struct text_fs_type *type;
	struct text_node *last; /* head of the list linked by made_before: nodes come before their parents */
};

static const struct node_ops ops;

static struct text_fs *fs_of(const struct node *node)
{
	return (struct text_fs *)node->fs;
}

static struct text_node *text_node(struct node *node)
{
	return (struct text_node *)node;
}

const struct text_entry *text_fs_entry(struct node *node)
{
	return text_node(node)->entry;
}

void text_fs_add(struct text_fs_type *type, struct text_entry *entries, size_t count)
{
	struct text_entry **end = &type->first;

	while (*end)
		end = &(*end)->next;
	for (size_t i = 0; i < count; i++) {
		*end = &entries[i];
		end = &entries[i].next;
	}
}

static struct text_node *find_child(const struct text_node *dir, struct name name)
{
	struct text_node *child = dir->children;

	while (child && (child->name.size != name.size || memcmp(child->name.text, name.text, name.size) != 0))
		child = child->sibling;
	return child;
}

static struct text_node *make_node(struct text_fs *fs, struct text_node *dir, struct name name,
				   const struct text_entry *entry)
{
	struct text_node *made = kzalloc(sizeof(*made)), **end;
	struct node *node;

	if (!made)
		return NULL;
	node = &made->node;
	node_init(node, &ops, &fs->fs, entry ? entry->mode : DIRECTORY_MODE);
	made->entry = entry;
	made->name = name;
	made->made_before = fs->last;
	fs->last = made;
	node->links = 1;
	if (node_is(node, S_IFREG))
		node->size = fs->type->file_size;
	if (node_is(node, S_IFDIR))
		node->links = 2;
	if (!dir)
		return made;
	/*
	 * fs.own counts the references that the file system itself holds: here the name's to the node, and the node's
	 * to its parent.
	 */
	fs->fs.own += 2;
	node->parent = node_get(&dir->node);
	if (node_is(node, S_IFDIR))
		dir->node.links++;
	for (end = &dir->children; *end; end = &(*end)->sibling)
		;
	*end = made;
	return made;
}

/* Make the entry's node, and the missing directories on its path. Returns false when there is no memory. */
static bool make_path(struct text_fs *fs, struct text_node *dir, const struct text_entry *entry)
{
	const char *at = entry->path;

	for (;;) {
		const char *slash = strchr(at, '/');
		struct name name = { at, slash ? (size_t)(slash - at) : strlen(at) };
		struct text_node *child = find_child(dir, name);

		if (!child)
			child = make_node(fs, dir, name, slash ? NULL : entry);
		if (!child)
			return false;
		if (!slash)
			return true;
		dir = child;
		at = slash + 1;
	}
}

static void free_all(struct text_fs *fs)
{
	while (fs->last) {
		struct text_node *node = fs->last;

		fs->last = node->made_before;
		ASSERT(node->node.refs == 1);
		node_put(&node->node);
	}
	ASSERT(!fs->fs.nodes);
	kfree(fs);
}

int text_fs_create(const struct text_fs_type *type, struct node **ret)
{
	struct text_fs *fs = kzalloc(sizeof(*fs));
	struct text_node *root;

	if (!fs)
		return -ENOMEM;
	fs->fs = (struct fs){ .name = type->name, .magic = type->magic, .device = fs_new_device(), .unsized = true };
	fs->type = type;
	root = make_node(fs, NULL, (struct name){ "", 0 }, NULL);
	if (!root) {
		kfree(fs);
		return -ENOMEM;
	}
	for (const struct text_entry *entry = type->first; entry; entry = entry->next)
		if (!make_path(fs, root, entry)) {
			free_all(fs);
			return -ENOMEM;
		}
	*ret = &root->node;
	return 0;
}

void text_fs_destroy(struct node *root)
{
	free_all(fs_of(root));
}

/* Return how `dir` finds further entries, or NULL. */
static const struct text_children *children_of(struct node *dir)
{
	const struct text_entry *entry = text_node(dir)->entry;

	if (!dir->parent)
		return fs_of(dir)->type->children;
	return entry ? entry->children : NULL;
}

static int lookup(struct node *dir, struct name name, struct node **ret)
{
	struct text_node *child = find_child(text_node(dir), name);
	const struct text_children *children = children_of(dir);

	if (child) {
		*ret = node_get(&child->node);
		return 0;
	}
	return children ? children->lookup(dir, name, ret) : -ENOENT;
}

static int next(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	uint64_t index = *position > FIRST_POSITION ? *position - FIRST_POSITION : 0;
	struct text_node *child = *position < TEXT_FS_MORE ? text_node(dir)->children : NULL;
	const struct text_children *children = children_of(dir);

	for (uint64_t left = index; left && child; left--)
		child = child->sibling;
	if (child) {
		*ret = (struct dir_entry){ child->name, child->node.number, child->node.mode };
		*position = FIRST_POSITION + index + 1;
		return 1;
	}
	if (!children)
		return 0;
	if (*position < TEXT_FS_MORE)
		*position = TEXT_FS_MORE;
	return children->next(dir, position, ret);
}

static int place(struct node *node, struct node_place *ret)
{
	if (!node->parent)
		return -ENOENT;
	*ret = (struct node_place){ .dir = node->parent, .name = text_node(node)->name };
	return 0;
}

static int create(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		  struct node **ret)
{
	(void)name;
	(void)mode;
	(void)device;
	(void)target;
	(void)ret;
	return fs_of(dir)->type->create_error;
}

int text_link_target(struct node *node, text_make_fn *make, struct link_target *ret)
{
	struct text text = { 0 };
	int error = make(node, &text);

	if (!error && text.lost)
		error = -ENOMEM;
	if (error)
		text_free(&text);
	else
		*ret = (struct link_target){ { text.bytes, text.size }, text.bytes };
	return error;
}

static int readlink(struct node *node, struct link_target *ret)
{
	return text_link_target(node, text_node(node)->entry->make, ret);
}

static int open(struct node *node, struct file *file)
{
	const struct text_entry *entry = text_node(node)->entry;

	return entry->more ? text_file_open_records(file, entry->more) : text_file_open(file, entry->make, entry->take);
}

/* Accept truncate(2) and O_TRUNC, as Linux does: a generated text has nothing to cut off. */
static int truncate(struct node *node, uint64_t size)
{
	(void)node;
	(void)size;
	return 0;
}

/* Return what nobody may set: permissions and owners of the directory type->kept, and of all in it. */
static unsigned fixed(const struct node *node)
{
	const char *kept = fs_of(node)->type->kept;
	struct name name;

	while (node->parent && node->parent->parent)
		node = node->parent;
	name = ((const struct text_node *)node)->name;
	if (!kept || name.size != strlen(kept) || memcmp(name.text, kept, name.size) != 0)
		return 0;
	return FIXED_MODE | FIXED_OWNER;
}

static void free_node(struct node *node)
{
	kfree(text_node(node));
}

static const struct node_ops ops = {
	.lookup = lookup,
	.next = next,
	.create = create,
	.readlink = readlink,
	.place = place,
	.open = open,
	.truncate = truncate,
	.fixed = fixed,
	.free = free_node,
};
