/*
 * Unpacks the initramfs archives into the tree: directories, files (in place), links, devices. Plain archives and
 * archives that gzip has packed may follow one another in any order, as on Linux.
 */
#pragma once

#include "kernel/fs/cpio.h"
#include "kernel/fs/node.h"

/* The result of unpacking. */
struct initramfs_report {
	uint64_t nodes;
	uint64_t bytes;          /* bytes of all regular files */
	struct cpio_error error; /* error.what == NULL: no error */
	bool packed;             /* the error's offset counts in what gzip had packed */
	uint64_t needed;         /* not 0: unpacking needed so many bytes in one piece, and did not get them */
	uint64_t free;           /* how many bytes were free in all then */
};

/*
 * Unpack the archives at physical address `pa` into `root`, a tmpfs. What is there already is replaced when it is no
 * directory, and directories that an entry's path needs are made. The memory of plain archives belongs to the files
 * from then on, for ever; that of packed ones is not needed any more, and what they unpack to is withdrawn from the
 * frame allocator in its place. Returns 0, -EINVAL (damaged, or packed by another program than gzip: ret->error says
 * what and where; what came before the damage is there), -ENOMEM (ret->error too, and perhaps ret->needed).
 */
int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret);
