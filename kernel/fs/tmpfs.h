/*
 * tmpfs, the file system in memory; the tree's root is one. Names and nodes are in the heap, contents in frames.
 */
#pragma once

#include "kernel/fs/node.h"

struct attributes;

/* Make a file system with an empty root (mode 0755); *ret is a reference to it. Returns 0 or -ENOMEM. */
int tmpfs_create(struct node **ret);

/* Return the default limit on pages, and on nodes, of a file system: half of RAM's frames, as on Linux. */
uint64_t tmpfs_default_limit(void);

/* Allow at most tmpfs_default_limit() pages, and as many nodes, to be added to a file system from now on. */
void tmpfs_set_limit(struct node *root);

/*
 * Remove everything in a file system, and free it. The current task does this in steps, on its way back to user mode
 * (kernel/sync/late_work.h). The caller's reference to the root must be the only one to any of its nodes, and nothing
 * may be mounted in it.
 */
void tmpfs_destroy(struct node *root);

/*
 * Let the `size` bytes at `pa` be the content of the regular file `node`, which must be empty, without copying them.
 * The memory must be outside the frame allocator, as the initramfs archive is, and is never freed. If `pa` is
 * page-aligned, whole pages are mapped and written where they are; other pages are copied to frames when they are
 * written or mapped.
 */
void tmpfs_use_in_place(struct node *node, paddr_t pa, uint64_t size);

/*
 * Have tmpfs_find_number() find the node of a tmpfs until it is freed, for file handles (name_to_handle_at(2)). Only
 * nodes for which this was called are in the tree fs->by_number. Returns 0, -ENOMEM, -EOVERFLOW (the 2^32nd file and
 * those after it).
 */
int tmpfs_keep_number(struct node *node);

/* Return a reference to the node of the number, if tmpfs_keep_number() was called for it; or NULL. */
struct node *tmpfs_find_number(const struct fs *fs, uint64_t number);

/* Return whether the node lies in a tmpfs. */
bool tmpfs_is(const struct node *node);

/*
 * Return the address of the node's pointer to its extended attributes, which is NULL while it has none; return NULL for
 * a node that is in no tmpfs.
 */
struct attributes **tmpfs_attributes(struct node *node);

/*
 * Make a regular file without a name (links is 0), for memfd_create(2) and O_TMPFILE; *ret is a reference. Returns 0 or
 * -ENOMEM.
 */
int tmpfs_create_unnamed(struct node *root, uint32_t mode, struct node **ret);
