/*
 * The file system in memory, which is also the root's. Names and nodes are in the heap, contents in frames.
 */
#pragma once

#include "kernel/fs/node.h"

/* Make a file system with an empty root (mode 0755), held in *ret. Returns 0 or -ENOMEM. */
int tmpfs_create(struct node **ret);

/* Return how many pages, and how many nodes, a file system has room for when nobody says more: half of RAM, as on Linux. */
uint64_t tmpfs_default_limit(void);

/* Set that limit, for what comes beside what there is already. */
void tmpfs_set_limit(struct node *root);

/*
 * Remove everything in a file system, and free it. Of its nodes only the root may be held, by the caller, and nothing
 * may be mounted in it.
 */
void tmpfs_destroy(struct node *root);

/*
 * Let `size` bytes at `pa` be the content of the regular file `node`, which is empty, in place: memory outside the
 * frame allocator that stays for ever, such as the initramfs. Its whole pages at page-aligned addresses become the
 * file's own and are written in place; of other pages a copy is made when they are written or mapped.
 */
void tmpfs_use_in_place(struct node *node, paddr_t pa, uint64_t size);

/*
 * Make a regular file without a name, as memfd_create(2) and O_TMPFILE need: links 0, held in *ret. Returns 0 or
 * -ENOMEM.
 */
int tmpfs_create_unnamed(struct node *root, uint32_t mode, struct node **ret);
