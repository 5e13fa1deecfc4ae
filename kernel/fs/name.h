/*
 * Names and places of files, and the results of node operations (node.h) that contain names.
 */
#pragma once

#include "paging/types.h"

struct mount;
struct node;

/*
 * A node, and the mount by which it was reached. `mount` is NULL when the node's file system is mounted nowhere, or the
 * mount is not known. A place that a comment calls *held* has a counted reference to each of the two.
 */
struct place {
	struct mount *mount;
	struct node *node;
};

/* One component of a path: not NUL-terminated, without '/'. Guard: fixed when it is made. */
struct name {
	const char *text;
	size_t size;
};

/* The target of a symbolic link; the caller calls link_target_put() when done. */
struct link_target {
	struct name name; /* valid until link_target_put(), if the caller keeps its reference to the link */
	char *made;       /* the heap block that `name` points into, when the target was made for this call; or NULL */
};

void link_target_put(struct link_target *target);

/* A directory and the name of a node in it; or, if the node has no name any more, its last name. */
struct node_place {
	struct node *dir;
	struct name name;
	bool gone; /* the node has no name any more: `name` was its last */
};

/* An entry of a directory, for listings. The name is valid until the directory changes. */
struct dir_entry {
	struct name name;
	uint64_t number; /* the inode number */
	uint32_t mode;   /* the node's type bits */
};
