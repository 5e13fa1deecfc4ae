/*
 * tmpfs, the file system in memory: its node operations, except those on names (tmpfs_names.c). content.c has the bytes
 * of files, node.c the checks that are common to all file systems.
 */
#include "kernel/fs/tmpfs.h"

#include "kernel/fs/access_time.h"
#include "kernel/fs/attributes.h"
#include "kernel/fs/file.h"
#include "kernel/fs/tmpfs_names.h"
#include "kernel/lib/likely.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frame/frame.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/late_work.h"

#define TMPFS_MAGIC 0x01021994

/* A tmpfs. Guard: tasks only, which the kernel does not preempt. */
struct tmpfs {
	struct late_work end; /* runs destroy_some(), which gets a pointer to it: must be the first member */
	struct node *root;    /* for tmpfs_destroy(): the root */
	struct node *dir;     /* for tmpfs_destroy(): the directory being emptied */
	struct fs fs;
};

static const struct node_ops tmpfs_ops;

/* Make a node without a name; returns a reference, or NULL when there is no memory. */
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

static void tmpfs_free(struct node *node)
{
	struct tmpfs_node *freed = tmpfs_node(node);

	if (unlikely(node->fs->by_number.root) && radix_find(&node->fs->by_number, (uint32_t)node->number) == node)
		(void)radix_remove(&node->fs->by_number, (uint32_t)node->number);
	kfree(freed->names);
	attributes_free(freed->attributes, node->fs);
	if (node_is(node, S_IFREG))
		content_free(&freed->content);
	else if (node_is(node, S_IFDIR))
		directory_free(&freed->dir);
	else if (node_is(node, S_IFLNK))
		kfree(freed->target);
	kfree(freed);
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
	error = tmpfs_link(dir, name, node);
	if (error) {
		node_put(node);
		return error;
	}
	*ret = node;
	return 0;
}

/* Return a link's target, a text that never changes. */
static int tmpfs_readlink(struct node *node, struct link_target *ret)
{
	*ret = (struct link_target){ .name = { tmpfs_node(node)->target, node->size } };
	return 0;
}

static int tmpfs_truncate(struct node *node, uint64_t size)
{
	return content_set_size(&tmpfs_node(node)->content, size);
}

static struct content *content_of_node(struct node *node)
{
	return &tmpfs_node(node)->content;
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
	const int64_t result = content_read(&tmpfs_node(file->node)->content, io, offset);

	if (result >= 0)
		access_time_note(file);
	return result;
}

static int64_t write_file(struct file *file, struct user_io *io, uint64_t *offset)
{
	return content_write(&tmpfs_node(file->node)->content, io, offset);
}

static int object_of_file(struct file *file, struct memory_object **ret)
{
	*ret = &tmpfs_node(file->node)->content.object;
	access_time_note(file);
	return 0;
}

static int64_t seek_file(struct file *file, int64_t offset, int whence)
{
	const struct content *content = &tmpfs_node(file->node)->content;
	int64_t place;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return file_seek_place(file, &file->offset, offset, whence);
	place = whence == SEEK_DATA ? content_next_data(content, offset) : content_next_hole(content, offset);
	if (place >= 0)
		file->offset = (uint64_t)place;
	return place;
}

static const struct file_ops regular_ops = {
	.read = read_file,
	.write = write_file,
	.seek = seek_file,
	.object = object_of_file,
};

static int tmpfs_open(struct node *node, struct file *file)
{
	(void)node;
	file->ops = &regular_ops;
	file->properties = FILE_SEEKS | FILE_OPEN_READS | FILE_OPEN_POLLS;
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
	.place = tmpfs_place,
	.open = tmpfs_open,
	.truncate = tmpfs_truncate,
	.content = content_of_node,
	.blocks = tmpfs_blocks,
	.free = tmpfs_free,
};

int tmpfs_create(struct node **ret)
{
	struct tmpfs *made = kzalloc(sizeof(*made));
	struct node *root;

	if (!made)
		return -ENOMEM;
	made->fs = (struct fs){ .name = "tmpfs", .magic = TMPFS_MAGIC, .keeps_nodes = true };
	made->fs.by_number.alloc = kzalloc;
	made->fs.by_number.free = kfree;
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

uint64_t tmpfs_default_limit(void)
{
	return machine_frames.total / 2;
}

void tmpfs_set_limit(struct node *root)
{
	struct fs *fs = root->fs;

	fs->pages_max = fs->pages + tmpfs_default_limit();
	/* The root is not counted, so that the limit of a new file system is the default, which /proc/mounts omits. */
	fs->nodes_max = fs->nodes - 1 + tmpfs_default_limit();
}

static bool destroy_some(struct late_work *work)
{
	struct tmpfs *tmpfs = (struct tmpfs *)work;

	if (!tmpfs_empty_some(tmpfs->root, &tmpfs->dir))
		return false;
	ASSERT(tmpfs->root->refs == 1 && tmpfs->fs.nodes == 1);
	node_put(tmpfs->root);
	kfree(tmpfs);
	return true;
}

void tmpfs_destroy(struct node *root)
{
	struct tmpfs *tmpfs = (struct tmpfs *)((char *)root->fs - offsetof(struct tmpfs, fs));

	tmpfs->fs.ends = true;
	tmpfs->end.step = destroy_some;
	tmpfs->root = tmpfs->dir = root;
	late_work_add(&tmpfs->end);
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

int tmpfs_keep_number(struct node *node)
{
	struct radix *numbers = &node->fs->by_number;

	/* Numbers are not given twice, and the tree has 32 bits for them. */
	if (node->number > UINT32_MAX)
		return -EOVERFLOW;
	if (radix_find(numbers, (uint32_t)node->number))
		return 0;
	return radix_insert(numbers, (uint32_t)node->number, node) == OK ? 0 : -ENOMEM;
}

struct node *tmpfs_find_number(const struct fs *fs, uint64_t number)
{
	struct node *node = number <= UINT32_MAX ? radix_find(&fs->by_number, (uint32_t)number) : NULL;

	return node ? node_get(node) : NULL;
}

bool tmpfs_is(const struct node *node)
{
	return node->ops == &tmpfs_ops;
}

struct attributes **tmpfs_attributes(struct node *node)
{
	return tmpfs_is(node) ? &tmpfs_node(node)->attributes : NULL;
}
