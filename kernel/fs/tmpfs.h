/*
 * The file system in memory: the root. Names and nodes in the heap, contents in frames.
 */
#pragma once

#include "kernel/fs/node.h"

/* A new one with an empty root (mode 0755), held in *ret. -ENOMEM. */
int tmpfs_create(struct node **ret);

/*
 * Remove everything and free it. Nothing of it may be held but the root, by the caller, and nothing may be mounted in
 * it.
 */
void tmpfs_destroy(struct node *root);

/*
 * Let the regular file `node`, which is empty, have `size` bytes at `pa` as its content, in place: memory outside the
 * frame allocator that stays for ever, such as the initramfs. Its whole pages at page-aligned addresses become the
 * file's own and are written in place; of other pages a copy is made when they are written or mapped.
 */
void tmpfs_use_in_place(struct node *node, paddr_t pa, uint64_t size);

/* A regular file that has no name, as memfd_create(2) and O_TMPFILE need: links 0, held in *ret. -ENOMEM. */
int tmpfs_create_unnamed(struct node *root, uint32_t mode, struct node **ret);
