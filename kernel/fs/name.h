/*
 * Names, and what file systems tell of them: where a link leads, where a node has its name, what a directory lists.
 */
#pragma once

#include "paging/types.h"

struct node;

/* A name as a directory has it: not NUL-terminated, without '/'. Guard: fixed when it is made. */
struct name {
	const char *text;
	size_t size;
};

/* The target of a symbolic link; link_target_put frees what it needs. */
struct link_target {
	struct name name; /* good while the node is held, and until link_target_put */
	char *made;       /* the heap block that `name` lies in, when the target was generated for this call; or NULL */
};

void link_target_put(struct link_target *target);

/* Where a node has a name, or had its last one. */
struct node_place {
	struct node *dir;
	struct name name;
	bool gone; /* the node has no name any more: this was its last */
};

/* An entry of a directory, for listing. The name is good until the directory changes. */
struct dir_entry {
	struct name name;
	uint64_t number; /* the node's number */
	uint32_t mode;   /* the node's type bits */
};
