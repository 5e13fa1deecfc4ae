/*
 * A walk along a path, name by name: what every call that takes a path is made of.
 */
#pragma once

#include "kernel/fs/path.h"

struct walk {
	struct node *root;
	struct node *dir; /* where it stands; held */
	const char *rest; /* of the path */
	char *text;       /* the heap block that `rest` points into, or NULL: the caller's path */
	unsigned links;   /* followed so far */
	struct name name; /* the last name; "." for a path of slashes only */
	bool slash;       /* one or more follow it */
};

/* Start. -ENOENT (""), -ENAMETOOLONG. After an error there is nothing to end. */
int walk_start(struct walk *walk, const struct path_base *base, const char *path);

/* Go on to the last name, following all links on the way. -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -ENOMEM. */
int walk_to_end(struct walk *walk);

/* What the last name stands for; held. */
int walk_look(struct walk *walk, struct node **ret);

/*
 * The last name is the symbolic link `link`: the walk goes on with its target, so that walk_to_end is next; or
 * *ret_node is the node that it leads to without a path, held, and the walk is over. Puts `link` in any case.
 */
int walk_follow(struct walk *walk, struct node *link, struct node **ret_node);

void walk_end(struct walk *walk);
