/*
 * See anonymous.h. Each has a node of its own, as stat(2) wants one: no type, no name.
 */
#include "kernel/fs/anonymous.h"

#include "kernel/mm/heap.h"

static struct fs anonymous_fs = {
	.name = "anon_inodefs", .device = DEVICE_NUMBER(0, 0xfe), .magic = 0x09041934, /* ANON_INODE_FS_MAGIC */
};

static void free_node(struct node *node)
{
	kfree(node);
}

static const struct node_ops anonymous_node_ops = { .free = free_node };

int anonymous_file_create(const struct file_ops *ops, void *data, unsigned flags, struct file **ret)
{
	struct node *node = kmalloc(sizeof(*node));

	if (!node)
		return -ENOMEM;
	if (file_create(node, ops, O_RDWR | (flags & O_NONBLOCK), 0, ret) != 0) {
		kfree(node);
		return -ENOMEM;
	}
	node_init(node, &anonymous_node_ops, &anonymous_fs, 0600);
	node->links = 1;
	(*ret)->data = data;
	return 0;
}
