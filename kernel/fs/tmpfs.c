/*
 * Ties names (directory.c), contents (content.c) and nodes together. The rules of names and types are node.c's.
 */
#include "kernel/fs/tmpfs.h"

#include "kernel/fs/content.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/file.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"

#define TMPFS_MAGIC 0x01021994

struct tmpfs {
	struct fs fs;
};

struct tmpfs_node {
	struct node node; /* first */
	union {
		struct content content; /* S_IFREG */
		struct directory dir;   /* S_IFDIR */
		char *target;           /* S_IFLNK: ends with NUL */
	};
};

static const struct node_ops tmpfs_ops;

static struct tmpfs_node *tmpfs_node(struct node *node)
{
	return (struct tmpfs_node *)node;
}

static struct directory *directory_of(struct node *node)
{
	return &tmpfs_node(node)->dir;
}

static void touch(struct node *dir)
{
	dir->mtime = dir->ctime = node_now();
}

/* A node with no name yet. NULL: no memory. */
static struct node *make_node(struct fs *fs, uint32_t mode, uint64_t device, struct name target)
{
	struct tmpfs_node *made = kzalloc(sizeof(*made));
	char *text = NULL;

	if (!made)
		return NULL;
	if ((mode & S_IFMT) == S_IFLNK) {
		text = kmalloc(target.size + 1);
		if (!text) {
			kfree(made);
			return NULL;
		}
		memcpy(text, target.text, target.size);
		text[target.size] = 0;
	}
	node_init(&made->node, &tmpfs_ops, fs, mode);
	made->node.device = device;
	if (text) {
		made->target = text;
		made->node.size = target.size;
	}
	if ((mode & S_IFMT) == S_IFREG)
		content_init(&made->content, &made->node);
	return &made->node;
}

/* For /proc, which shows it: a file that has no name any more, though somebody holds it. */
static void keep_name(struct node *dir, struct node *node, struct name name)
{
	if (node_is(node, S_IFDIR) || node->refs == 1)
		return;
	node->old_name = kmalloc(name.size + 1);
	if (!node->old_name)
		return;
	memcpy(node->old_name, name.text, name.size);
	node->old_name[name.size] = '\0';
	node->home = node_get(dir);
}

static void forget_name(struct node *node)
{
	if (!node->old_name)
		return;
	kfree(node->old_name);
	node->old_name = NULL;
	node_put(node->home);
	node->home = NULL;
}

static void tmpfs_free(struct node *node)
{
	struct tmpfs_node *freed = tmpfs_node(node);

	forget_name(node);
	if (node_is(node, S_IFREG))
		content_free(&freed->content);
	else if (node_is(node, S_IFDIR))
		directory_free(&freed->dir);
	else if (node_is(node, S_IFLNK))
		kfree(freed->target);
	kfree(freed);
}

static int tmpfs_lookup(struct node *dir, struct name name, struct node **ret)
{
	struct directory_entry *entry = directory_find(directory_of(dir), name);

	if (!entry)
		return -ENOENT;
	*ret = node_get(entry->node);
	return 0;
}

static int tmpfs_next(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	struct directory_entry *entry = directory_at(directory_of(dir), *position);

	if (!entry)
		return 0;
	*ret = (struct dir_entry){ { entry->text, entry->size }, entry->node->number, entry->node->mode };
	*position = entry->position + 1;
	return 1;
}

/* One name more leads to `node`: the first one holds it. */
static void count_link(struct node *dir, struct node *node)
{
	if (!node->links) {
		forget_name(node);
		node_get(node);
		node->fs->own++;
	}
	node->links++;
	node->ctime = node_now();
	if (!node_is(node, S_IFDIR)) {
		node->home = dir;
		return;
	}
	node->links = 2;
	node->parent = node_get(dir);
	node->fs->own++;
	dir->links++;
}

/* `dir` holds a name of `node`'s less: is there still another? */
static void leave_home(struct node *dir, struct node *node)
{
	const struct directory_entry *entry = node->links ? directory_of(dir)->first : NULL;

	while (entry && entry->node != node)
		entry = entry->next;
	if (node->home == dir && !entry)
		node->home = NULL;
}

/* `name` less. A directory keeps its parent as long as somebody holds it. */
static void drop_link(struct node *dir, struct node *node, struct name name)
{
	node->ctime = node_now();
	if (node_is(node, S_IFDIR)) {
		dir->links--;
		node->links = 1;
		node->fs->own--;
	}
	node->links--;
	leave_home(dir, node);
	if (node->links)
		return;
	node->fs->own--;
	keep_name(dir, node, name);
	node_put(node);
}

static int add_entry(struct node *dir, struct name name, struct node *node)
{
	struct directory_entry *entry;

	if (directory_find(directory_of(dir), name))
		return -EEXIST;
	entry = directory_entry_create(name, node);
	if (!entry)
		return -ENOMEM;
	if (directory_reserve(directory_of(dir)) != 0) {
		kfree(entry);
		return -ENOMEM;
	}
	directory_add(directory_of(dir), entry);
	touch(dir);
	return 0;
}

static int tmpfs_new(struct node *dir, struct name name, uint32_t mode, uint64_t device, struct name target,
		     struct node **ret)
{
	struct node *node;
	int error;

	if (directory_find(directory_of(dir), name))
		return -EEXIST;
	if (dir->fs->nodes_max && dir->fs->nodes >= dir->fs->nodes_max)
		return -ENOSPC;
	node = make_node(dir->fs, mode, device, target);
	if (!node)
		return -ENOMEM;
	error = add_entry(dir, name, node);
	if (error) {
		node_put(node);
		return error;
	}
	count_link(dir, node);
	*ret = node;
	return 0;
}

static int tmpfs_link(struct node *dir, struct name name, struct node *node)
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

static int tmpfs_unlink(struct node *dir, struct name name)
{
	struct directory_entry *entry = directory_find(directory_of(dir), name);
	struct node *node;

	if (!entry)
		return -ENOENT;
	node = entry->node;
	if (is_full_directory(node))
		return -ENOTEMPTY;
	touch(dir);
	drop_link(dir, node, name);
	directory_remove(directory_of(dir), entry);
	return 0;
}

/* It has moved: of a directory, ".." leads elsewhere. */
static void set_parent(struct node *node, struct node *from, struct node *to)
{
	node->ctime = node_now();
	if (!node_is(node, S_IFDIR))
		node->home = to;
	if (!node_is(node, S_IFDIR) || from == to)
		return;
	from->links--;
	to->links++;
	node->parent = node_get(to);
	node_put(from);
}

static int tmpfs_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags)
{
	struct directory_entry *entry = directory_find(directory_of(from), old_name);
	struct directory_entry *goal = directory_find(directory_of(to), new_name);
	struct node *node = entry->node;

	if (flags & RENAME_EXCHANGE) {
		entry->node = goal->node;
		goal->node = node;
		set_parent(entry->node, to, from);
	} else if (goal) {
		struct node *replaced = goal->node;

		if (is_full_directory(replaced))
			return -ENOTEMPTY;
		goal->node = node;
		directory_remove(directory_of(from), entry);
		drop_link(to, replaced, new_name);
	} else {
		int error = add_entry(to, new_name, node);

		if (error)
			return error;
		directory_remove(directory_of(from), entry);
	}
	set_parent(node, from, to);
	touch(from);
	touch(to);
	return 0;
}

/* The text never changes. */
static int tmpfs_readlink(struct node *node, struct link_target *ret)
{
	*ret = (struct link_target){ .name = { tmpfs_node(node)->target, node->size } };
	return 0;
}

static int tmpfs_truncate(struct node *node, uint64_t size)
{
	return content_set_size(&tmpfs_node(node)->content, size);
}

static uint64_t tmpfs_blocks(const struct node *node)
{
	const struct content *content = &((const struct tmpfs_node *)node)->content;

	if (!node_is(node, S_IFREG))
		return 0;
	return content->pages.count * (PAGE_SIZE / 512) + (content->place_size + 511) / 512;
}

static int64_t read_file(struct file *file, struct user_io *io, uint64_t *offset)
{
	return content_read(&tmpfs_node(file->node)->content, io, offset);
}

static int64_t write_file(struct file *file, struct user_io *io, uint64_t *offset)
{
	return content_write(&tmpfs_node(file->node)->content, io, offset);
}

static int object_of_file(struct file *file, struct memory_object **ret)
{
	*ret = &tmpfs_node(file->node)->content.object;
	return 0;
}

static const struct file_ops regular_ops = {
	.read = read_file,
	.write = write_file,
	.object = object_of_file,
};

static int tmpfs_open(struct node *node, struct file *file)
{
	(void)node;
	file->ops = &regular_ops;
	file->properties = FILE_SEEKS;
	return 0;
}

static const struct node_ops tmpfs_ops = {
	.lookup = tmpfs_lookup,
	.next = tmpfs_next,
	.create = tmpfs_new,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rename = tmpfs_rename,
	.readlink = tmpfs_readlink,
	.open = tmpfs_open,
	.truncate = tmpfs_truncate,
	.blocks = tmpfs_blocks,
	.free = tmpfs_free,
};

int tmpfs_create(struct node **ret)
{
	struct tmpfs *made = kzalloc(sizeof(*made));
	struct node *root;

	if (!made)
		return -ENOMEM;
	made->fs = (struct fs){ .name = "tmpfs", .magic = TMPFS_MAGIC };
	root = make_node(&made->fs, S_IFDIR | 0755, 0, (struct name){ 0 });
	if (!root) {
		kfree(made);
		return -ENOMEM;
	}
	made->fs.device = fs_new_device();
	root->links = 2;
	*ret = root;
	return 0;
}

/* Remove the names in `dir`, all the way down, without recursion: the tree may be deeper than the stack. */
static void empty(struct node *root)
{
	struct node *dir = root;

	for (;;) {
		struct directory_entry *entry = directory_of(dir)->first;

		if (!entry && dir == root)
			return;
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
}

void tmpfs_destroy(struct node *root)
{
	struct fs *fs = root->fs;

	empty(root);
	ASSERT(root->refs == 1 && fs->nodes == 1);
	node_put(root);
	kfree(fs);
}

void tmpfs_use_in_place(struct node *node, paddr_t pa, uint64_t size)
{
	struct content *content = &tmpfs_node(node)->content;

	ASSERT(node_is(node, S_IFREG) && !node->size);
	content_use_in_place(content, pa, size);
}

int tmpfs_create_unnamed(struct node *root, uint32_t mode, struct node **ret)
{
	struct node *node = make_node(root->fs, S_IFREG | (mode & MODE_PERMISSIONS), 0, (struct name){ 0 });

	if (!node)
		return -ENOMEM;
	*ret = node;
	return 0;
}
