/*
 * Functions about names that node.c, node_rename.c and place.c share.
 */
#pragma once

#include "kernel/fs/node.h"

static inline bool node_is_dot(struct name name)
{
	return name.size == 1 && name.text[0] == '.';
}

static inline bool node_is_dot_dot(struct name name)
{
	return name.size == 2 && name.text[0] == '.' && name.text[1] == '.';
}

/* Return whether a name is "." or "..". */
bool node_is_dots(struct name name);

/* Return whether `dir` is `node`, or lies inside it. */
bool node_is_inside(const struct node *dir, const struct node *node);

/* Check that `name` can be added to `dir`; an existing entry is not looked for. Returns 0 or an error. */
int node_check_new(struct node *dir, struct name name);

/* Find the node of a name that is to be removed or renamed, not what is mounted on it. *ret is a new reference. */
int node_find_own(struct node *dir, struct name name, struct node **ret);
