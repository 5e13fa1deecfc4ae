/*
 * File systems whose files are made by functions: the fixed tree of /proc, all of /sys. Which files there are is a list
 * that layers above add to before it is mounted; each mount has nodes of its own.
 */
#pragma once

#include "kernel/fs/node.h"
#include "kernel/fs/text_file.h"

/* A file, a link, or a directory that would be empty. Stays for ever. */
struct text_entry {
	const char *path;        /* below the root: "kernel/ankeos/map"; the directories that it needs are made */
	uint32_t mode;           /* type and permissions */
	text_make_fn *make;      /* the content, or a link's target; NULL: a directory */
	text_take_fn *take;      /* or NULL: cannot be written */
	struct text_entry *next; /* owned by the list */
};

/* One kind of such a file system. */
struct text_fs_type {
	const char *name;
	int64_t magic;
	uint64_t file_size;       /* that stat(2) shows: 0 in proc, 4096 in sysfs */
	int create_error;         /* what making something in it answers */
	struct text_entry *first; /* in the order in which directories list them */
	/*
	 * What the root has besides: as node_ops.lookup and .next, with positions from TEXT_FS_MORE on. NULL: nothing.
	 */
	int (*lookup)(struct node *root, struct name name, struct node **ret);
	int (*next)(struct node *root, uint64_t *position, struct dir_entry *ret);
};

#define TEXT_FS_MORE (1ULL << 20)

/* Add to what mounts from now on show. */
void text_fs_add(struct text_fs_type *type, struct text_entry *entries, size_t count);

/* A new one, its root held in *ret. -ENOMEM. */
int text_fs_create(const struct text_fs_type *type, struct node **ret);

/* Free it. Nothing of it may be held but the root, by the caller. */
void text_fs_destroy(struct node *root);
