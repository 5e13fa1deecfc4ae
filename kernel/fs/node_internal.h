/*
 * Functions about names that node.c and node_rename.c share.
 */
#pragma once

#include "kernel/fs/node.h"

/* Return whether a name is "." or "..". */
bool node_is_dots(struct name name);

/* Return whether `dir` is `node`, or lies inside it. */
bool node_is_inside(const struct node *dir, const struct node *node);

/* Check that `name` can be added to `dir`; an existing entry is not looked for. Returns 0 or an error. */
int node_check_new(struct node *dir, struct name name);

/* Find the node of a name that is to be removed or renamed, not what is mounted on it. *ret is a new reference. */
int node_find_own(struct node *dir, struct name name, struct node **ret);
