/*
 * Makes anonymous files; see anonymous.h. Each has a node (inode) of its own, without type and name, for stat(2).
 */
#include "kernel/fs/anonymous.h"

#include "kernel/lib/format.h"
#include "kernel/mm/heap/heap.h"

/* The file system of all anonymous files. Guard: tasks only, which the kernel does not preempt. */
static struct fs anonymous_fs = {
	.name = "anon_inodefs",
	.device = DEVICE_NUMBER(0, ANONYMOUS_DEVICE),
	.magic = 0x09041934, /* ANON_INODE_FS_MAGIC */
};

/* The node of an anonymous file. Guard: fixed when it is made. */
struct anonymous_node {
	struct node node; /* must be the first member: node_ops get a pointer to it */
	const char *kind; /* for example "[eventfd]" */
};

static void free_node(struct node *node)
{
	kfree(node);
}

static size_t describe(const struct node *node, char *buffer, size_t size)
{
	return format_s(buffer, size, "anon_inode:%s", ((const struct anonymous_node *)node)->kind);
}

static const struct node_ops anonymous_node_ops = { .describe = describe, .free = free_node };

int anonymous_file_create(const char *kind, const struct file_ops *ops, void *data, unsigned flags, struct file **ret)
{
	struct anonymous_node *made = kmalloc(sizeof(*made));
	struct node *node;

	if (!made)
		return -ENOMEM;
	made->kind = kind;
	node = &made->node;
	if (file_create(node, ops, O_RDWR | (flags & O_NONBLOCK), 0, ret) != 0) {
		kfree(made);
		return -ENOMEM;
	}
	node_init(node, &anonymous_node_ops, &anonymous_fs, 0600);
	node->links = 1;
	(*ret)->data = data;
	return 0;
}
