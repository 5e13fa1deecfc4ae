/*
 * File systems whose files are made by functions: the fixed tree of /proc, all of /sys. The files are a list to which
 * layers above add before it is mounted; each mount has nodes of its own.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/fs/text_file.h"

/* A file, a link, or a directory that would be empty. Must last. */
struct text_entry {
	const char *path;        /* below the root: "kernel/ankeos/map"; directories in the path are made as needed */
	uint32_t mode;           /* type and permissions */
	text_make_fn *make;      /* makes the content, or a link's target; NULL: a directory */
	text_take_fn *take;      /* takes what is written; NULL: the file cannot be written */
	struct text_entry *next; /* used by the list */
};

/* A kind of such a file system. Fixed after boot. */
struct text_fs_type {
	const char *name;
	int64_t magic;
	uint64_t file_size;       /* the size that stat(2) shows: 0 in proc, 4096 in sysfs */
	int create_error;         /* the error for making something in it */
	struct text_entry *first; /* entries in the order in which directories list them */
	/*
	 * Entries that the root has besides the list's: as node_ops.lookup and .next, with positions from TEXT_FS_MORE
	 * on; NULL: none.
	 */
	int (*lookup)(struct node *root, struct name name, struct node **ret);
	int (*next)(struct node *root, uint64_t *position, struct dir_entry *ret);
};

#define TEXT_FS_MORE (1ULL << 20)

/* Add entries to a kind; later mounts show them. */
void text_fs_add(struct text_fs_type *type, struct text_entry *entries, size_t count);

/* Make a file system of a kind, its root held in *ret. Returns 0 or -ENOMEM. */
int text_fs_create(const struct text_fs_type *type, struct node **ret);

/* Free a file system. Of its nodes only the root may be held, by the caller. */
void text_fs_destroy(struct node *root);
