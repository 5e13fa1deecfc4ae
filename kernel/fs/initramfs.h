/*
 * Unpacks the initramfs (cpio archives) into the tree of files: directories, links, devices, and regular files, whose
 * bytes stay where they are in the archive. Plain archives and archives compressed by gzip may follow one another in
 * any order, as on Linux.
 */
#pragma once

#include "kernel/fs/cpio.h"
#include "kernel/fs/node.h"

/* The result of unpacking. */
struct initramfs_report {
	uint64_t nodes;
	uint64_t bytes;          /* bytes of all regular files */
	struct cpio_error error; /* error.what == NULL: no error */
	bool packed;             /* error.offset is an offset in the decompressed archive */
	uint64_t needed;         /* if not 0: how many contiguous bytes decompressing needed and did not get */
	uint64_t free;           /* with `needed`: how many bytes were free in all */
};

/*
 * Unpack the archives at physical address `pa` into `root`, a tmpfs. An entry replaces an existing file of its name,
 * but not a directory; directories that are missing on an entry's path are made. The memory of plain archives holds
 * the files' bytes for ever. The memory of gzip's archives is given to the frame allocator once they are decompressed,
 * into memory that is withdrawn from the allocator for ever. Returns 0, -EINVAL (damaged, or compressed by another
 * program than gzip: ret->error says what and where; entries before the damage have been unpacked), or -ENOMEM
 * (ret->error is set as well, and perhaps ret->needed).
 */
int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret);
