/*
 * A walk along a path, name by name. Every call that takes a path is made of these.
 */
#pragma once

#include "kernel/fs/path.h"

struct walk {
	struct node *root;
	struct node *dir; /* the directory that the walk has reached; held */
	const char *rest; /* the part of the path not walked yet */
	char *text;       /* the heap block that `rest` points into; NULL: `rest` points into the caller's path */
	unsigned links;   /* how many links were followed so far */
	struct name name; /* the path's last name; "." for a path of slashes only */
	bool slash;       /* one or more slashes follow the last name */
};

/* Start a walk. Returns 0, -ENOENT (""), -ENAMETOOLONG; after an error there is nothing to end. */
int walk_start(struct walk *walk, const struct path_base *base, const char *path);

/* Walk to the last name, following all links on the way. -ENOENT, -ENOTDIR, -ELOOP, -ENAMETOOLONG, -ENOMEM. */
int walk_to_end(struct walk *walk);

/* Find the node that the last name stands for; held. */
int walk_look(struct walk *walk, struct node **ret);

/*
 * Follow the symbolic link `link`, which the last name stands for. Either the walk goes on with its target, and
 * walk_to_end is next; or *ret_node is the node that the link leads to without a path, held, and the walk is over. Puts
 * `link` in any case.
 */
int walk_follow(struct walk *walk, struct node *link, struct node **ret_node);

void walk_end(struct walk *walk);
