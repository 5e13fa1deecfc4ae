/*
 * From the initramfs archive to the tree: directories, files in place, links, devices.
 */
#pragma once

#include "kernel/fs/cpio.h"
#include "kernel/fs/node.h"

/* What came in. */
struct initramfs_report {
	uint64_t nodes;
	uint64_t bytes;          /* of regular files */
	struct cpio_error error; /* what == NULL: none */
};

/*
 * Unpack the archive at physical address `pa` into `root`, a tmpfs. What is there already is replaced when it is no
 * directory, and directories that an entry's path needs are made. The archive's memory belongs to the files from then
 * on, for ever. Returns 0, -EINVAL (damaged or compressed: ret->error says what and where; what came before the damage
 * is there), -ENOMEM (ret->error too).
 */
int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret);
