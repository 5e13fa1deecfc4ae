/*
 * Names, and what file systems tell of them: where a link leads, where a node has its name, what a directory lists.
 */
#pragma once

#include "paging/types.h"

struct node;

/* A name in a directory: no NUL at its end, no '/' in it. */
struct name {
	const char *text;
	size_t size;
};

/* Where a symbolic link leads; for the caller to put. */
struct link_target {
	struct name name; /* good as long as the node is held and this is not put */
	char *made;       /* the heap block that `name` lies in, when it was made for this call; or NULL */
};

void link_target_put(struct link_target *target);

/* Where a node has, or had, a name. */
struct node_place {
	struct node *dir;
	struct name name;
	bool gone; /* it has none any more: this was the last */
};

/* One entry as a directory lists it. The name is valid until the directory changes. */
struct dir_entry {
	struct name name;
	uint64_t number; /* of the node */
	uint32_t mode;   /* its type bits */
};
