/*
 * Functions by which open sections (kernel/sync/open_section.h) change nodes, files and descriptor tables without
 * calling the heap. Call them in a section on the descriptor table, inside the gate `node_names`.
 */
#pragma once

#include "kernel/fs/fd.h"

#define FD_SPARES 4 /* most spare files of a table */

extern struct open_gate node_names; /* closed while names, mounts, or owners of nodes change */

/*
 * Drop a reference to a node. Returns false, with the reference kept, if it may be the last one, or its file system's:
 * then node_put() has more to do. Once it is dropped, another CPU may free the node with the last reference; but the
 * file system lives on, since mount_end() closes `node_names` first.
 */
static inline bool node_put_open(struct node *node)
{
	uint64_t refs = __atomic_load_n(&node->refs, __ATOMIC_RELAXED);
	struct fs *fs = node->fs;

	do
		if (refs == 1 || fs->detached)
			return false;
	while (!__atomic_compare_exchange_n(&node->refs, &refs, refs - 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	__atomic_sub_fetch(&fs->refs, 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * Do file_open() for a regular file with FILE_OPEN_READS that is opened for reading. `file` is memory for it.
 */
void file_open_in(struct file *file, const struct place *place, unsigned flags);

/*
 * Make an open descriptor a free one, and its file, which must have no other reference and nothing left to close, a
 * spare one. The table must have fewer than FD_SPARES spare files.
 */
void fd_close_open(struct fd_table *table, unsigned fd);

/* Take a file out of the spare ones, of which there must be one. */
static inline struct file *fd_take_spare(struct fd_table *table)
{
	struct file *file = table->spare;

	table->spare = file->data;
	table->spares--;
	return file;
}
