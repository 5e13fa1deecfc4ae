/*
 * The nodes of a tmpfs, and the node operations that concern names.
 */
#pragma once

#include "kernel/fs/content.h"
#include "kernel/fs/directory.h"

/* A node of a tmpfs. Guard: tasks only, which the kernel does not preempt. */
struct tmpfs_node {
	struct node node; /* must be the first member: node_ops get a pointer to it */
	/* The node's names, linked by next_name. When node.links is 0: its last name (see keep_name()), or NULL. */
	struct directory_entry *names;
	struct attributes *attributes; /* extended attributes; NULL: none were ever set */
	union {
		struct content content; /* for S_IFREG */
		struct directory dir;   /* for S_IFDIR */
		char *target;           /* for S_IFLNK; ends with NUL */
	};
};

static inline struct tmpfs_node *tmpfs_node(struct node *node)
{
	return (struct tmpfs_node *)node;
}

static inline struct directory *directory_of(struct node *node)
{
	return &tmpfs_node(node)->dir;
}

/* The operations of struct node_ops (node.h) with these names. tmpfs_link also gives a new node its first name. */
int tmpfs_lookup(struct node *dir, struct name name, struct node **ret);
int tmpfs_next(struct node *dir, uint64_t *position, struct dir_entry *ret);
int tmpfs_place(struct node *node, struct node_place *ret);
int tmpfs_link(struct node *dir, struct name name, struct node *node);
int tmpfs_unlink(struct node *dir, struct name name);
int tmpfs_rename(struct node *from, struct name old_name, struct node *to, struct name new_name, unsigned flags);

/*
 * Remove some of the names below `root`, at every depth. *at is the directory to go on with, at first `root`. From the
 * first call on nothing else may change the tree. Returns true when all names are gone.
 */
bool tmpfs_empty_some(struct node *root, struct node **at);
