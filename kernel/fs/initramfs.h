/*
 * Unpacks the initramfs (cpio archives) into the tree of files: directories, links, devices, and regular files. Plain
 * archives and archives compressed by gzip may follow one another in any order, as on Linux.
 */
#pragma once

#include "kernel/fs/node.h"

/* The result of unpacking. */
struct initramfs_report {
	uint64_t nodes;
	uint64_t bytes;       /* bytes of all regular files */
	uint64_t passed_over; /* how many entries could not be made; the log has a line for each of the first 16 */
	/* why the rest was not read, such as "the archive ends inside a header"; NULL: all was read */
	const char *what;
	uint64_t offset; /* with `what`: the offset in bytes of the place that `what` is about */
	bool packed;     /* with `what`: `offset` counts decompressed bytes of a gzip archive */
	uint64_t left;   /* with -ENOMEM: how many bytes of the archives were not read yet */
};

/*
 * Unpack the archives at physical address `pa` into `root`, a tmpfs. An entry changes an existing file of its name and
 * type; a file of another type is replaced, a directory only if it is empty. Directories that are missing on an entry's
 * path are made, and symbolic links there are followed. An entry that cannot be made by these rules is passed over. The
 * memory of plain archives holds the files' bytes for ever; that of compressed ones is given to the frame allocator as
 * soon as it is read. Returns 0, -EINVAL (damaged, or compressed by another program than gzip) or -ENOMEM; after an
 * error the entries before it have been unpacked, and ret->what says why.
 */
int initramfs_unpack(struct node *root, paddr_t pa, uint64_t size, struct initramfs_report *ret);
